// Tables of a training's noise: known values, what always holds, and what diffusers computed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <numeric>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/error.h"
#include "fresco/training/noise_tables.h"

namespace fresco::training {
namespace {

using sampling::Betas;
using sampling::Prediction;

NoiseSettings cosine() { return {.betas = Betas::cosine, .zero_terminal_snr = true}; }
NoiseSettings stable_diffusion(bool zero) { return {.betas = Betas::scaled_linear, .zero_terminal_snr = zero}; }

LossSettings weighted(MinSnrForm form, Prediction prediction = Prediction::velocity, double floor = 0) {
  return {.prediction = prediction, .min_snr = form, .floor = floor};
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> golden(const std::string& name) {
  const auto file = std::filesystem::path(FRESCO_SOURCE_DIR) / "../shared/goldens/training.safetensors";
  if (!std::filesystem::exists(file)) return {};
  const auto source = checkpoint::open_tensors(file.string());
  const auto data = source->read(name);
  std::vector<double> values(data.bytes.size() / sizeof(double));
  std::memcpy(values.data(), data.bytes.data(), data.bytes.size());
  return values;
}

TEST(NoiseTables, AreThoseOfDiffusersCosineSchedule) {
  const auto expected = golden("alphas_cumprod");
  if (expected.empty()) GTEST_SKIP() << "no reference data";
  const auto tables = make_noise_tables(cosine());
  ASSERT_EQ(tables.alpha_bar.size(), expected.size());
  // Products of up to 1000 float32 factors, each a rounding apart where the other's square root is not correctly rounded.
  double worst = 0;
  for (size_t t = 0; t < expected.size(); ++t)
    worst = std::max(worst, std::abs(tables.alpha_bar[t] - expected[t]) / std::max(expected[t], 1e-9));
  EXPECT_LT(worst, 1e-6);
  const auto weights = loss_weights(tables, weighted(MinSnrForm::snr_plus_one));
  const size_t timesteps[] = {999, 770, 445, 513};
  const auto first = golden("adamw.weights");
  for (size_t i = 0; i < first.size(); ++i) EXPECT_DOUBLE_EQ(weights[timesteps[i]], first[i]);
}

// Rounded as in a published analysis of the two forms on Stable Diffusion's schedule, rescaled.
TEST(NoiseTables, PaperWeightsVanishWhereSamplingBegins) {
  const auto tables = make_noise_tables(stable_diffusion(true));
  const auto paper = loss_weights(tables, weighted(MinSnrForm::paper));
  const std::pair<size_t, double> known[] = {{0, .0043},  {100, .566}, {200, .737}, {300, .565},
                                             {500, .241}, {700, .055}, {900, .003}, {999, 0}};
  for (const auto& [t, weight] : known) EXPECT_NEAR(paper[t], weight, t == 0 ? 5e-5 : 5e-4) << t;
  EXPECT_NEAR(mean(paper), .278, 5e-4);
  EXPECT_NEAR(mean(loss_weights(tables, weighted(MinSnrForm::snr_plus_one))), .913, 5e-4);
}

TEST(NoiseTables, TerminalSnrIsSmallOrNone) {
  EXPECT_NEAR(make_noise_tables(stable_diffusion(false)).snr.back(), .00468, 5e-6);
  const auto zero = make_noise_tables(stable_diffusion(true));
  EXPECT_EQ(zero.snr.back(), 0);
  EXPECT_EQ(zero.signal.back(), 0);
  EXPECT_EQ(zero.noise.back(), 1);
  EXPECT_EQ(std::count_if(zero.snr.begin(), zero.snr.end(), [](double snr) { return snr < .01; }), 161);
}

class Schedules : public testing::TestWithParam<NoiseSettings> {};

TEST_P(Schedules, LoseSignalStepByStep) {
  const auto tables = make_noise_tables(GetParam());
  ASSERT_EQ(tables.steps(), GetParam().train_steps);
  for (size_t t = 0; t < tables.snr.size(); ++t)
    EXPECT_NEAR(tables.signal[t] * tables.signal[t] + tables.noise[t] * tables.noise[t], 1, 1e-15);
  EXPECT_EQ(std::adjacent_find(tables.snr.begin(), tables.snr.end(), std::less_equal<>()), tables.snr.end());
}

TEST_P(Schedules, WeightsStayBetweenTheirBounds) {
  const auto tables = make_noise_tables(GetParam());
  for (const auto prediction : {Prediction::velocity, Prediction::epsilon}) {
    for (const auto form : {MinSnrForm::none, MinSnrForm::paper, MinSnrForm::snr_plus_one}) {
      for (const double weight : loss_weights(tables, weighted(form, prediction))) {
        EXPECT_GE(weight, 0);
        EXPECT_LE(weight, 1);
      }
    }
    for (const double weight : loss_weights(tables, weighted(MinSnrForm::paper, prediction, .05)))
      EXPECT_GE(weight, .05);
    EXPECT_EQ(loss_weights(tables, weighted(MinSnrForm::snr_plus_one, prediction)).back(), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Schedules,
    testing::Values(cosine(), NoiseSettings{.betas = Betas::cosine}, stable_diffusion(false), stable_diffusion(true),
                    NoiseSettings{.betas = Betas::linear, .beta_start = 1e-4, .beta_end = .02},
                    NoiseSettings{.betas = Betas::cosine, .train_steps = 50, .zero_terminal_snr = true}));

TEST(NoiseTables, EpsilonsWeightIsVelocitysInItsOwnTerms) {
  // |v - v'|^2 = (SNR + 1)/SNR |eps - eps'|^2, so the paper's two weights differ by that factor.
  const auto tables = make_noise_tables(stable_diffusion(false));
  const auto v = loss_weights(tables, weighted(MinSnrForm::paper));
  const auto epsilon = loss_weights(tables, weighted(MinSnrForm::paper, Prediction::epsilon));
  for (size_t t = 0; t < v.size(); ++t) EXPECT_NEAR(epsilon[t], v[t] * (tables.snr[t] + 1) / tables.snr[t], 1e-12) << t;
}

TEST(NoiseTables, RefuseWhatMakesNoTable) {
  EXPECT_THROW(make_noise_tables({.betas = Betas::linear, .beta_start = 1e-12, .beta_end = .02}), InputError);
  EXPECT_THROW(loss_weights(make_noise_tables(cosine()), weighted(MinSnrForm::none, Prediction::sample)), InputError);
}

}  // namespace
}  // namespace fresco::training
