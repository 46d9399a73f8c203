// Gradient checkpointing: the same gradients from less memory.
#include <ATen/ATen.h>
#include <fmt/format.h>
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
  layers::Preparation preparation{.recompute_cells = recompute};
  if (latents.scalar_type() == at::kDouble) preparation = {.type = at::kDouble, .ops = "reference"};
  const unet::UNet unet(model.specs().unet, parameters, preparation);
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
  // Sums of gradients that meet in one tensor may come in another order: no further from the exact gradient than the other is, twice over.
  const auto wide = training::TrainingModel::open(starter.string(), {}, 1, at::kDouble, no_observer());
  const auto exact = run(wide, false, latents.to(at::kDouble), context.to(at::kDouble)).gradients;
  const auto error = [&](const Pass& pass) { return (pass.gradients - exact).abs().max().item<double>(); };
  RecordProperty("error", fmt::format("{:.2e} kept, {:.2e} again, of {:.2e}", error(kept), error(again),
                                      exact.abs().max().item<double>()));
  EXPECT_LT(error(again), 2 * error(kept));
}

}  // namespace
}  // namespace fresco::test
