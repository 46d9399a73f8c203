#include "fresco/ops/guidance/guidance.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace fresco::test
