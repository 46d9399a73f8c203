// What a network's call takes in memory: as much as its plan says, and nothing new once it has run.
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include "fresco/checkpoint/model_files.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/unet/activation_bytes.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/activation_bytes.h"
#include "fresco/vae/vae.h"
#include "tests/networks/allocation_watch.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

constexpr int64_t kMiB = int64_t{1} << 20;

// The starter model at four times its size and more: its activations are a few MiB then.
struct Starter {
  checkpoint::ModelFiles files = checkpoint::open_model(
      {.model = (std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128").string()}, no_observer());
  unet::UNet unet{unet::read_spec(files.unet.config, "unet"), layers::CheckpointWeights(files.unet.tensors, {}), {}};
  vae::Vae vae{vae::read_vae_spec(files.vae.config, "vae"), layers::CheckpointWeights(files.vae.tensors, {}), {}};

  at::Tensor predict(int64_t batch, int64_t height, int64_t width) const {
    const auto text = unet.bind(at::zeros({batch, 77, unet.spec().context_width}));
    return unet.forward(at::zeros({batch, 4, height, width}), at::full({batch}, 500.0f), text);
  }
};

const Starter& starter() {
  static const Starter instance;
  return instance;
}

// Beside the plan's blocks a call holds vectors (times, shifts) and what operators need inside; a plan that were far above would
// reserve and refuse for nothing.
void expect_planned(int64_t peak, int64_t planned) {
  EXPECT_LE(static_cast<double>(peak), 1.1 * static_cast<double>(planned));
  EXPECT_GE(static_cast<double>(peak), 0.8 * static_cast<double>(planned));
}

class ActivationBytes : public testing::TestWithParam<std::array<int64_t, 3>> {};

TEST_P(ActivationBytes, AreWhatAUNetCallTakes) {
  const c10::InferenceMode guard;
  const auto [batch, height, width] = GetParam();
  const auto text = starter().unet.bind(at::zeros({batch, 77, starter().unet.spec().context_width}));
  const auto call = [&, batch = batch, height = height, width = width] {
    const auto latents = at::zeros({batch, 4, height, width});
    return starter().unet.forward(latents, at::full({batch}, 500.0f), text);
  };
  call();  // packs weights
  const ops::Arena arena;
  const ops::ScopedArena scope(&arena);
  expect_planned(peak_tensor_bytes([&] { call(); }),
                 unet::activation_bytes(starter().unet.spec(), batch, height, width, sizeof(float)));
}

TEST_P(ActivationBytes, AreWhatDecodingAndEncodingTake) {
  const c10::InferenceMode guard;
  const auto [batch, height, width] = GetParam();
  const auto& spec = starter().vae.spec();
  const auto decode = [&, batch = batch, height = height, width = width] {
    starter().vae.decode(at::zeros({batch, 4, height, width}));
  };
  const auto encode = [&, batch = batch, height = height, width = width] {
    starter().vae.encode(at::zeros({batch, 3, height * spec.scale(), width * spec.scale()}));
  };
  decode();
  encode();
  const ops::Arena arena;
  const ops::ScopedArena scope(&arena);
  expect_planned(peak_tensor_bytes(decode), vae::decoding_bytes(spec, batch, height, width, sizeof(float)));
  expect_planned(peak_tensor_bytes(encode), vae::encoding_bytes(spec, batch, height, width, sizeof(float)));
}

INSTANTIATE_TEST_SUITE_P(Sizes, ActivationBytes,
                         testing::Values(std::array<int64_t, 3>{2, 32, 32}, std::array<int64_t, 3>{1, 40, 24},
                                         std::array<int64_t, 3>{3, 16, 16}));

// Operators of libtorch that still take memory of their own.
const std::set<std::string> kLeftOver;

TEST(UNetCalls, TakeNoFreshLargeMemoryAfterTheFirst) {
  if (!watches_allocations()) GTEST_SKIP() << "a sanitizer watches the allocator";
  const c10::InferenceMode guard;
  const ops::Arena arena;
  const ops::ScopedArena scope(&arena);
  EXPECT_THAT(large_allocations(kMiB, [] { starter().predict(2, 64, 64); }), testing::Not(testing::IsEmpty()))
      << "the first call takes the arena's range";
  const auto before = arena.counts();
  EXPECT_GT(before.blocks, 0);
  auto fresh = large_allocations(kMiB, [] {
    for (int i = 0; i < 3; ++i) starter().predict(2, 64, 64);
  });
  EXPECT_EQ(arena.counts().ranges, before.ranges);
  EXPECT_EQ(arena.counts().live, before.live);
  for (const auto& name : kLeftOver) fresh.erase(name);
  EXPECT_THAT(fresh, testing::IsEmpty());
}

}  // namespace
}  // namespace fresco::test
