// The autoencoder: gradients by the fast operators against those of the definitions, and how it begins.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "fresco/training/training_model.h"
#include "fresco/vae/vae.h"

namespace fresco::test {
namespace {

using training::Network;

at::Tensor gradients(const training::TrainingModel& model, const std::string& ops, const at::Tensor& pictures) {
  auto& parameters = model.parameters(Network::vae);
  parameters.grads().zero_();
  const vae::Vae vae(model.specs().vae, parameters, {.ops = ops});
  const auto moments = vae.encode(pictures);
  const auto noise = at::ones_like(moments.chunk(2, 1)[0]);
  const auto difference = vae.decode(vae::sample_posterior(moments, noise)) - pictures;
  (difference.abs().mean() + moments.square().mean()).backward();
  return parameters.grads().clone();
}

TEST(TrainedVae, GradientsAreThoseOfTheDefinition) {
  const auto starter = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  const auto model = training::TrainingModel::open(starter.string(), {}, 1, at::kFloat, no_observer());
  at::manual_seed(1);
  const auto pictures = at::rand({3, 3, 64, 40}) * 2 - 1;
  const auto expected = gradients(model, "reference", pictures), found = gradients(model, "auto", pictures);
  const auto& parameters = model.parameters(Network::vae);
  const double rounding = 1e-7 * expected.abs().max().item<double>();  // keys' biases have gradients of 0 but for it
  for (const auto& slice : parameters.slices()) {
    const auto a = parameters.part(expected, slice), b = parameters.part(found, slice);
    const double largest = a.abs().max().item<double>();
    EXPECT_GT(largest, 0) << slice.name;
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-3 * largest + rounding) << slice.name;
  }
}

TEST(TrainedVae, BeginsWithANarrowPosterior) {
  const auto starter = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  const auto model = training::TrainingModel::open(starter.string(), {Network::vae}, 1, at::kFloat, no_observer());
  const c10::NoGradGuard guard;
  const vae::Vae vae(model.specs().vae, model.parameters(Network::vae), {});
  const auto moments = vae.encode(at::rand({2, 3, 32, 32}) * 2 - 1).chunk(2, 1);
  EXPECT_LT((moments[1] + 6).abs().max().item<double>(), 2);
  EXPECT_GT(moments[0].std().item<double>(), std::exp(-3)) << "means stand out of the noise";
}

}  // namespace
}  // namespace fresco::test
