// Ten steps of tiny-deci10 by PyTorch in float64, with AdamW and with LAMB: losses, gradient norms, weights and their average after the last.
#include <map>
#include <memory>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/json.h"
#include "fresco/training/diffusion_loss.h"
#include "fresco/training/optimizer.h"
#include "fresco/unet/read_spec.h"
#include "fresco/unet/unet.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

using training::OptimizerKind;
using training::OptimizerSettings;
using training::Parameters;

constexpr int64_t kSteps = 10, kBatch = 4;
constexpr double kEmaDecay = 0.9;

struct Case {
  OptimizerKind optimizer;
  at::ScalarType type;
  bool recompute;
};

OptimizerSettings settings_for(OptimizerKind kind) {
  const bool lamb = kind == OptimizerKind::lamb;
  return {.kind = kind, .learning_rate = lamb ? 5e-3 : 1e-3, .eps = lamb ? 1e-6 : 1e-8, .weight_decay = 0.01};
}

// min(SNR + 1, 5) / (SNR + 1)
training::LossTables tables_from(const at::Tensor& alphas) {
  const auto snr = alphas / (1 - alphas);
  return {alphas.sqrt(), (1 - alphas).sqrt(), (snr + 1).clamp_max(5) / (snr + 1)};
}

class GoldenSteps : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
    const auto folder = shared() / "goldens/models/tiny-deci10/flexible_unet";
    const layers::Preparation preparation{.type = GetParam().type, .recompute_cells = GetParam().recompute};
    const auto spec = unet::read_spec(read_json(folder / "config.json"), "config.json");
    parameters_ = std::make_unique<Parameters>(
        [&](const layers::WeightSource& source) { unet::UNet(spec, source, preparation); }, GetParam().type);
    const auto tensors = checkpoint::open_tensors((folder / "diffusion_pytorch_model.safetensors").string());
    parameters_->assign(layers::CheckpointWeights(tensors, preparation));
    unet_ = std::make_unique<unet::UNet>(spec, *parameters_, preparation);
    goldens_ = std::make_unique<Goldens>(shared() / "goldens/training.safetensors");
    tables_ = tables_from((*goldens_)["alphas_cumprod"].to(at::kDouble));
  }

  at::Tensor loss(int64_t step) const {
    const auto of = [&](const char* name) { return (*goldens_)[name][step].to(GetParam().type); };
    const auto times = (*goldens_)["timesteps"][step].to(at::kLong);
    const auto given = training::noised(tables_, sampling::Prediction::velocity, of("latents"), of("noise"), times);
    const auto predicted = unet_->forward(given.noisy, times.to(at::kFloat), unet_->bind(of("context")));
    return training::diffusion_loss(given, predicted, kBatch);
  }

  std::unique_ptr<Parameters> parameters_;
  std::unique_ptr<unet::UNet> unet_;
  std::unique_ptr<Goldens> goldens_;
  training::LossTables tables_;
};

// The bounds: 1e-5 in float64; in float32 1e-4 of losses and norms, 1e-3 of weights and averages.
TEST_P(GoldenSteps, AreMet) {
  const std::string name = GetParam().optimizer == OptimizerKind::lamb ? "lamb." : "adamw.";
  const bool exact = GetParam().type == at::kDouble;
  const auto optimizer = make_optimizer(settings_for(GetParam().optimizer), *parameters_);
  auto average = parameters_->values().clone();
  std::vector<double> losses, norms;
  for (int64_t step = 0; step < kSteps; ++step) {
    parameters_->grads().zero_();
    const auto value = loss(step);
    value.backward();
    losses.push_back(value.item<double>());
    norms.push_back(training::clip_gradients({parameters_.get()}, 1));
    optimizer->step(step + 1, settings_for(GetParam().optimizer).learning_rate);
    average.lerp_(parameters_->values(), 1 - kEmaDecay);
  }
  const double near = exact ? 1e-5 : 1e-4, near_weights = exact ? 1e-5 : 1e-3;
  for (int64_t step = 0; step < kSteps; ++step) {
    const auto of = [&](const char* what) { return (*goldens_)[name + what][step].item<double>(); };
    EXPECT_NEAR(losses[step], of("losses"), near * of("losses")) << step;
    EXPECT_NEAR(norms[step], of("grad_norms"), near * of("grad_norms")) << step;
  }
  int checked = 0;
  for (const auto& slice : parameters_->slices()) {
    if (!goldens_->has(name + "after." + slice.name)) continue;
    ++checked;
    EXPECT_LT(relative_error(Parameters::part(parameters_->values(), slice), (*goldens_)[name + "after." + slice.name]),
              near_weights)
        << slice.name;
    EXPECT_LT(relative_error(Parameters::part(average, slice), (*goldens_)[name + "ema." + slice.name]), near_weights)
        << slice.name;
  }
  EXPECT_EQ(checked, 5);
}

// Activations in bfloat16 over weights in float32, as on a GPU: its 8 bits leave 0.4 % of rounding in each value, and losses are means over
// thousands of them.
class NarrowSteps : public GoldenSteps {};
TEST_P(NarrowSteps, StayNear) {
  const auto folder = shared() / "goldens/models/tiny-deci10/flexible_unet";
  const layers::Preparation narrow{.type = at::kBFloat16, .recompute_cells = GetParam().recompute};
  const auto spec = unet::read_spec(read_json(folder / "config.json"), "config.json");
  unet_ = std::make_unique<unet::UNet>(spec, *parameters_, narrow);
  const auto value = loss(0);
  value.backward();
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_NEAR(value.item<double>(), (*goldens_)["adamw.losses"][0].item<double>(), 0.01);
  const double norm = (*goldens_)["adamw.grad_norms"][0].item<double>();
  EXPECT_NEAR(training::clip_gradients({parameters_.get()}, 0), norm, 0.02 * norm);
}

INSTANTIATE_TEST_SUITE_P(Cells, NarrowSteps,
                         testing::Values(Case{OptimizerKind::adamw, at::kFloat, false},
                                         Case{OptimizerKind::adamw, at::kFloat, true}));
INSTANTIATE_TEST_SUITE_P(Optimizers, GoldenSteps,
                         testing::Values(Case{OptimizerKind::adamw, at::kDouble, false},
                                         Case{OptimizerKind::lamb, at::kDouble, false},
                                         Case{OptimizerKind::adamw, at::kDouble, true},
                                         Case{OptimizerKind::adamw, at::kFloat, false},
                                         Case{OptimizerKind::lamb, at::kFloat, true}));

}  // namespace
}  // namespace fresco::test
