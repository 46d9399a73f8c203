// Gradient checkpointing: the same gradients from less memory.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fresco/ops/memory/arena.h"
#include "fresco/training/training_model.h"
#include "fresco/unet/unet.h"

namespace fresco::test {
namespace {

using training::Network;

struct Pass {
  int64_t bytes;  // the most that activations and their gradients took at once
  at::Tensor gradients;
};

Pass run(const training::TrainingModel& model, bool recompute, const at::Tensor& latents, const at::Tensor& context) {
  auto& parameters = model.parameters(Network::unet);
  parameters.grads().zero_();
  const unet::UNet unet(model.specs().unet, parameters, {.recompute_cells = recompute});
  const auto times = at::linspace(0, 999, latents.size(0));
  const ops::Arena arena;
  const ops::ScopedArena scope(&arena);
  unet.forward(latents, times, unet.bind(context)).square().mean().backward();
  return {arena.counts().peak, parameters.grads().clone()};
}

// Batch 16 of the shipped model's latents. What is kept are cells' inputs alone; the most that one cell takes comes on top.
TEST(Recompute, TakesAtMostSixTenthsOfTheMemory) {
  const auto starter = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  const auto model = training::TrainingModel::open(starter.string(), {}, 1, at::kFloat, no_observer());
  at::manual_seed(1);
  const auto latents = at::randn({16, 4, 16, 16}), context = at::randn({16, 77, 64});
  const auto kept = run(model, false, latents, context), again = run(model, true, latents, context);
  EXPECT_GT(kept.bytes, 0);
  EXPECT_LE(static_cast<double>(again.bytes), 0.6 * static_cast<double>(kept.bytes))
      << again.bytes << " of " << kept.bytes;
  // The same kernels on the same values; only sums of gradients that meet in one tensor may come in another order.
  const double largest = kept.gradients.abs().max().item<double>();
  EXPECT_LT((again.gradients - kept.gradients).abs().max().item<double>(), 1e-5 * largest);
}

}  // namespace
}  // namespace fresco::test
