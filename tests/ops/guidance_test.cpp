#include "fresco/ops/guidance/guidance.h"

#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/mix/mix.h"
#include "fresco/ops/slope_step/slope_step.h"

namespace fresco::test {
namespace {

TEST(Guidance, GoesFromTheUnconditionalThroughTheConditional) {
  const auto both = at::randn({4, 4, 6, 5});
  const auto got = ops::guidance({both, at::tensor({7.5, 1.0}, at::kFloat), at::zeros({2})});
  const auto first = both[0] + 7.5 * (both[2] - both[0]);
  EXPECT_TRUE(at::allclose(got[0], first, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(got[1], both[3], 1e-5, 1e-5)) << "scale 1 is the conditional output";
}

TEST(Guidance, RescaleGivesEachSampleTheDeviationOfItsConditionalOutput) {
  const auto both = at::randn({4, 4, 6, 5});
  const auto got = ops::guidance({both, at::full({2}, 9.0f), at::tensor({1.0, 0.0}, at::kFloat)});
  EXPECT_NEAR(got[0].std().item<float>(), both[2].std().item<float>(), 1e-5);
  EXPECT_GT(got[1].std().item<float>(), 2 * both[3].std().item<float>())
      << "a rescale of 0 leaves the other sample alone";
}

TEST(Guidance, AConstantOutputIsNotDividedByItsDeviation) {
  const auto got = ops::guidance({at::ones({2, 4, 2, 2}), at::full({1}, 7.5f), at::zeros({1})});
  EXPECT_TRUE(at::equal(got, at::ones({1, 4, 2, 2})));
}

TEST(Mix, EverySampleHasItsOwnRowOfCoefficients) {
  const auto a = at::randn({2, 4, 3, 3}), b = at::randn({2, 4, 3, 3});
  const auto got = ops::mix({{a, b}, at::tensor({1.0, 2.0, 0.5, -1.0}, at::kDouble).view({2, 2})});
  EXPECT_TRUE(at::allclose(got[0], a[0] + 2 * b[0], 1e-6, 1e-6));
  EXPECT_TRUE(at::allclose(got[1], 0.5 * a[1] - b[1], 1e-6, 1e-6));
}

TEST(Mix, WhatNobodyReadsMayHoldAnything) {
  const auto a = at::ones({1, 4, 2, 2}), nan = at::full({1, 4, 2, 2}, NAN);
  const auto got = ops::mix({{a, nan, at::Tensor()}, at::tensor({3.0, 0.0, 0.0}, at::kDouble).view({1, 3})});
  EXPECT_TRUE(at::equal(got, 3 * a));
}

TEST(SlopeStep, GoesAlongTheSlopeOfEachSample) {
  const auto x = at::randn({2, 4, 3, 3}), clean = at::randn({2, 4, 3, 3});
  const auto got = ops::slope_step({x, clean, at::tensor({4.0f, 2.0f}), at::tensor({-4.0f, -1.0f})});
  EXPECT_TRUE(at::allclose(got[0], clean[0], 1e-6, 1e-6)) << "all the way to sigma 0";
  EXPECT_TRUE(at::allclose(got[1], 0.5 * (x[1] + clean[1]), 1e-6, 1e-6)) << "half the way";
}

// Each of the three in one pass over memory, against its definition on latents as they come: the U-Net's output channels-last, the rest
// row after row; sizes that are no multiple of blocks.
class Fused : public testing::TestWithParam<std::array<int64_t, 4>> {
 protected:
  at::Tensor latents(int64_t times = 1) const {
    const auto [b, c, h, w] = GetParam();
    return at::randn({times * b, c, h, w});
  }
  int64_t batch() const { return GetParam()[0]; }
};

TEST_P(Fused, MixGivesTheDefinitionsValues) {
  const auto nan = at::full_like(latents(), NAN), last = latents().contiguous(at::MemoryFormat::ChannelsLast);
  const std::vector<at::Tensor> inputs{latents(), last, nan, latents(), {}};
  auto lines = at::randn({batch(), 5}, at::kDouble);
  lines.select(1, 2).zero_();
  const ops::FormRecorder recorder;
  EXPECT_TRUE(at::equal(ops::mix({inputs, lines}), ops::mix_reference({inputs, lines})));
  EXPECT_EQ(recorder.counts().at("mix/fused"), 1);
}

TEST_P(Fused, SlopeStepGivesTheDefinitionsValues) {
  const auto x = latents(), clean = latents().contiguous(at::MemoryFormat::ChannelsLast);
  const auto sigma = at::rand({batch()}).add(0.1), change = at::randn({batch()});
  const ops::FormRecorder recorder;
  EXPECT_TRUE(
      at::equal(ops::slope_step({x, clean, sigma, change}), ops::slope_step_reference({x, clean, sigma, change})));
  EXPECT_EQ(recorder.counts().at("slope_step/fused"), 1);
}

// Deviations may differ in their last place.
TEST_P(Fused, GuidanceGivesTheDefinitionsValues) {
  const auto scale = at::rand({batch()}).mul(9), none = at::zeros({batch()}), some = at::rand({batch()});
  for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
    const auto both = latents(2).contiguous(format);
    const ops::FormRecorder recorder;
    EXPECT_TRUE(at::equal(ops::guidance({both, scale, none}), ops::guidance_reference({both, scale, none})));
    EXPECT_TRUE(at::allclose(ops::guidance({both, scale, some}), ops::guidance_reference({both, scale, some}), 1e-6,
                             1e-6, /*equal_nan=*/true));
    EXPECT_EQ(recorder.counts().at("guidance/fused"), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Fused,
                         testing::Values(std::array<int64_t, 4>{1, 4, 64, 64}, std::array<int64_t, 4>{2, 4, 7, 9},
                                         std::array<int64_t, 4>{3, 4, 1, 1}, std::array<int64_t, 4>{5, 4, 33, 31}));

}  // namespace
}  // namespace fresco::test
