// Learning rates and averages as functions of the step.
#include <gtest/gtest.h>

#include <cmath>

#include "fresco/training/schedule.h"

namespace fresco::training {
namespace {

TEST(LearningRate, WarmsUpToOneAtItsStep) {
  const ScheduleSettings settings{.warmup = 4};
  const double expected[] = {.2, .4, .6, .8, 1, 1};
  for (int64_t step = 0; step < 6; ++step) EXPECT_DOUBLE_EQ(learning_rate_factor(settings, step, 100), expected[step]);
  EXPECT_EQ(learning_rate_factor({}, 0, 100), 1);
}

TEST(LearningRate, FallsFromTheWarmUpToTheEnd) {
  for (const auto kind : {ScheduleKind::linear, ScheduleKind::cosine}) {
    const ScheduleSettings settings{.kind = kind, .warmup = 20, .final_factor = .1};
    EXPECT_EQ(learning_rate_factor(settings, 20, 120), 1);
    EXPECT_NEAR(learning_rate_factor(settings, 70, 120), .55, 1e-12);
    EXPECT_NEAR(learning_rate_factor(settings, 120, 120), .1, 1e-12);
    EXPECT_NEAR(learning_rate_factor(settings, 1000, 120), .1, 1e-12);
    for (int64_t step = 21; step < 120; ++step)
      EXPECT_LT(learning_rate_factor(settings, step, 120), learning_rate_factor(settings, step - 1, 120));
  }
  EXPECT_NEAR(learning_rate_factor({.kind = ScheduleKind::cosine}, 25, 100), (1 + std::sqrt(.5)) / 2, 1e-12);
}

TEST(LearningRate, FollowsItsPoints) {
  const ScheduleSettings settings{.kind = ScheduleKind::piecewise, .points = {{10, 1}, {20, .5}, {20, .25}, {40, 0}}};
  EXPECT_EQ(learning_rate_factor(settings, 0, 50), 1);
  EXPECT_EQ(learning_rate_factor(settings, 10, 50), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(settings, 15, 50), .75);
  EXPECT_DOUBLE_EQ(learning_rate_factor(settings, 20, 50), .25);  // a jump takes the later factor
  EXPECT_DOUBLE_EQ(learning_rate_factor(settings, 30, 50), .125);
  EXPECT_EQ(learning_rate_factor(settings, 45, 50), 0);
}

TEST(LearningRate, IsFiniteWhereThePhaseIsAllWarmUp) {
  const ScheduleSettings settings{.kind = ScheduleKind::cosine, .warmup = 10};
  for (int64_t step = 0; step < 12; ++step) EXPECT_TRUE(std::isfinite(learning_rate_factor(settings, step, 10)));
}

TEST(Average, BeginsWhenItIsAskedTo) {
  EXPECT_FALSE(ema_decay({}, 100));
  const EmaSettings settings{.decay = .999, .start = 50};
  EXPECT_FALSE(ema_decay(settings, 49));
  EXPECT_EQ(ema_decay(settings, 50), .999);
}

// 1 - (1 + n)^-power reaches 0.999 after 31.6 k steps with power 2/3, after 10 k with 3/4.
TEST(Average, GrowsLongerByItsPower) {
  EXPECT_EQ(ema_decay({.decay = .9999, .power = .75, .start = 7}, 7), 0);
  EXPECT_NEAR(*ema_decay({.decay = .9999, .power = 2.0 / 3}, 31622), .999, 1e-7);
  EXPECT_NEAR(*ema_decay({.decay = .9999, .power = .75}, 9999), .999, 1e-12);
  EXPECT_EQ(ema_decay({.decay = .9999, .power = .75}, 1000000), .9999);
}

}  // namespace
}  // namespace fresco::training
