#include "fresco/report/line_plot.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace fresco::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<PlotPoint> points(const std::vector<double>& values) {
  std::vector<PlotPoint> all;
  for (size_t k = 0; k < values.size(); ++k) all.push_back({static_cast<double>(k), values[k]});
  return all;
}

void expect_sound(const std::string& svg) {
  for (const char* broken : {"nan", "inf\"", "inf%", "inf,", "-inf"}) EXPECT_THAT(svg, Not(HasSubstr(broken)));
}

TEST(LinePlot, DrawsWhatItCanOfAnyValues) {
  const std::vector<std::vector<double>> cases = {{0},           {0, 0, 0},          {5, 5},           {-3, 2, 7},
                                                  {1e-12, 1e12}, {kNaN, 1, kNaN, 2}, {HUGE_VAL, 1, 2}, {1e300, 1e308}};
  for (const auto& values : cases) {
    for (const bool logarithmic : {false, true}) {
      const std::string svg = line_plot({.label = "x",
                                         .last = static_cast<double>(values.size() - 1),
                                         .lines = {{.points = points(values), .classes = "a"}},
                                         .logarithmic = logarithmic});
      EXPECT_THAT(svg, HasSubstr("<polyline")) << values.size();
      expect_sound(svg);
    }
  }
}

TEST(LinePlot, IsEmptyWithoutValues) {
  EXPECT_EQ(line_plot({.lines = {}}), "");
  EXPECT_EQ(line_plot({.lines = {{.points = points({kNaN, kNaN})}}}), "");
}

TEST(LinePlot, BreaksALineWhereAValueIsMissing) {
  const std::string svg = line_plot({.last = 4, .lines = {{.points = points({1, 2, kNaN, 2, 1}), .classes = "a"}}});
  EXPECT_NE(svg.find("<polyline"), svg.rfind("<polyline"));
}

TEST(LinePlot, KeepsOutliersOnTheSheet) {
  std::vector<double> values(200, 1.0);
  for (size_t k = 0; k < values.size(); ++k) values[k] += 0.1 * std::sin(static_cast<double>(k));
  values[50] = 1e6;
  const std::string svg =
      line_plot({.last = 199, .lines = {{.points = points(values), .classes = "a", .outliers = 0.02}}});
  EXPECT_THAT(svg, HasSubstr(">1.1</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("1 M")));
}

TEST(LinePlot, TellsValuesAndEscapesNames) {
  const std::string svg = line_plot({.label = "a<b",
                                     .last = 1,
                                     .lines = {{.points = points({1, 2}), .classes = "a", .name = "<loss>"}},
                                     .marks = {{0.5, "rollback", "\"back\""}}});
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
  EXPECT_THAT(svg, HasSubstr("step 0, &lt;loss&gt; 1.00"));
  EXPECT_THAT(svg, HasSubstr("&quot;back&quot;"));
}

TEST(Smoothing, KeepsConstantsAndEndsAndPassesOverGaps) {
  for (const PlotPoint& point : smoothed(points({3, 3, 3, 3}), 10)) EXPECT_NEAR(point.y, 3, 1e-12);
  const auto mean = smoothed(points({1, kNaN, 3}), 1);
  EXPECT_TRUE(std::isnan(mean[1].y));
  const double far = std::exp(-2);  // two points away
  EXPECT_NEAR(mean[0].y, (1 + 3 * far) / (1 + far), 1e-12);
  EXPECT_NEAR(mean[2].y, (3 + far) / (1 + far), 1e-12);
  EXPECT_TRUE(smoothed({}, 5).empty());
}

TEST(Thinning, KeepsPeaksAndOrder) {
  std::vector<double> values(10000, 0.0);
  values[1234] = 5;
  values[4321] = -5;
  const auto few = thinned(points(values), 100);
  EXPECT_LE(few.size(), 200u);
  double least = 0, most = 0;
  for (size_t k = 0; k < few.size(); ++k) {
    if (k > 0) {
      EXPECT_LT(few[k - 1].x, few[k].x);
    }
    least = std::min(least, few[k].y);
    most = std::max(most, few[k].y);
  }
  EXPECT_EQ(least, -5);
  EXPECT_EQ(most, 5);
}

}  // namespace
}  // namespace fresco::report
