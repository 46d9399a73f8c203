#include "fresco/evaluation/statistics.h"

#include <gtest/gtest.h>

namespace fresco::evaluation {
namespace {

TEST(Statistics, AreThoseOfNumpy) {
  EXPECT_EQ(spread({}).median, 0);
  const Spread one = spread({4});
  EXPECT_EQ(one.median, 4);
  EXPECT_EQ(one.p90, 4);
  const Spread s = spread({5, 1, 4, 2, 3});  // numpy.quantile([1, 2, 3, 4, 5], 0.9) = 4.6
  EXPECT_EQ(s.count, 5u);
  EXPECT_EQ(s.least, 1);
  EXPECT_EQ(s.median, 3);
  EXPECT_DOUBLE_EQ(s.p90, 4.6);
  EXPECT_EQ(s.most, 5);
  EXPECT_EQ(s.mean, 3);
  EXPECT_DOUBLE_EQ(spread({1, 2}).median, 1.5);
}

}  // namespace
}  // namespace fresco::evaluation
