#include "fresco/evaluation/comparison.h"

#include <gmock/gmock.h>

#include "fresco/evaluation/metrics.h"
#include "tests/evaluation/samples.h"

namespace fresco::evaluation {
namespace {

using ::testing::HasSubstr;

Comparison of_step_seconds(double a, double b) {
  return compare({.prompts = {"x"}, .seeds = {1}}, sample_measurement("a", 10, a, 1),
                 sample_measurement("b", 10, b, 1));
}

const Metric& metric(const std::vector<Metric>& all, const std::string& key) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Metric& each) { return each.key == key; });
  if (found == all.end()) throw std::out_of_range(key);
  return *found;
}

TEST(Comparison, SaysWhichIsFasterAndByWhatFactor) {
  const Comparison comparison = sample_comparison();  // 30 * 0.1 + 1 = 4 s against 50 * 0.16 + 1 = 9 s
  EXPECT_EQ(comparison.verdict.faster, 0);
  EXPECT_DOUBLE_EQ(comparison.verdict.factor, 2.25);
  EXPECT_EQ(verdict_text(comparison),
            "quick with 30 steps is 2.25 times as fast as slow with 50 steps: 4.00 s a picture against 9.00 s.");
  EXPECT_EQ(of_step_seconds(0.2, 0.1).verdict.faster, 1);
}

TEST(Comparison, CallsWhatIsAlmostEqualEqual) {
  const Comparison equal = of_step_seconds(0.1, 0.1015);  // 2 s against 2.015 s
  EXPECT_EQ(equal.verdict.faster, -1);
  EXPECT_THAT(verdict_text(equal), HasSubstr("take the same time for a picture, within 2 %"));
  EXPECT_EQ(of_step_seconds(0.1, 0.106).verdict.faster, 0);
}

TEST(Comparison, TellsTwoRunsOfOneModelApartByTheirSettings) {
  const auto with = [](int calls, const char* precision) {
    Measurement m = sample_measurement("models/one.safetensors", calls, 0.1, 1);
    m.settings["precision"] = precision;
    return m;
  };
  const Conditions conditions{.prompts = {"x"}, .seeds = {1}};
  const Comparison both = compare(conditions, with(10, "f32"), with(20, "bf16"));
  EXPECT_EQ(both.sides[0].label, "one (10 steps, f32)");
  EXPECT_EQ(both.sides[1].label, "one (20 steps, bf16)");
  EXPECT_EQ(compare(conditions, with(10, "f32"), with(10, "f32")).sides[1].label, "one (B)");
}

TEST(Comparison, MeasuresPicturesOnlyOfTheSameWeights) {
  Measurement a = sample_measurement("m", 2, 0.1, 1), b = a;
  b.pictures[0].pixels[0] ^= 0xff;
  const Conditions conditions{.prompts = {"x"}, .seeds = {1}};
  const auto difference = static_cast<double>(b.pictures[0].pixels[0]) - a.pictures[0].pixels[0];
  const PicturePair pair = compare(conditions, a, b).pairs[0];
  EXPECT_FALSE(pair.equal);
  EXPECT_NEAR(pair.psnr.value(), 10 * std::log10(255 * 255 * 64 * 48 * 3 / (difference * difference)), 1e-9);
  EXPECT_TRUE(compare(conditions, a, a).pairs[0].equal);
  EXPECT_FALSE(compare(conditions, a, a).pairs[0].psnr);
  b.hash = "other";
  EXPECT_FALSE(compare(conditions, a, b).pairs[0].psnr);
}

TEST(Summary, CountsPicturesAnHourAndTheirPrice) {
  Measurement m = sample_measurement("m", 10, 0.1, 2);  // 2 s each
  m.runs[1].seconds = 4;
  const Summary s = summarize(m, 1.5);
  EXPECT_DOUBLE_EQ(s.pictures_per_hour, 1200);  // two in 6 s
  EXPECT_DOUBLE_EQ(s.hours_per_10000, 10000.0 / 1200);
  EXPECT_DOUBLE_EQ(s.cost_per_10000.value(), 1.5 * 10000 / 1200);
  EXPECT_DOUBLE_EQ(s.iterations_per_second, 10);
  EXPECT_DOUBLE_EQ(s.multiply_adds_per_second, 2 * 226.4e9 / 0.1);  // guided: two samples a call
  EXPECT_EQ(m.multiply_adds_a_picture(), 10 * 2 * 226'400'000'000 + 870'700'000'000);
  m.settings["guidance"] = 1.0;
  EXPECT_EQ(m.multiply_adds_a_picture(), 10 * 226'400'000'000 + 870'700'000'000);
}

TEST(Metrics, HaveRatiosAndWinners) {
  const auto all = metrics(sample_comparison());
  EXPECT_NEAR(metric(all, "seconds_per_picture").ratio().value(), 4.0 / 9, 1e-12);
  EXPECT_EQ(metric(all, "seconds_per_picture").winner(), 0);
  EXPECT_NEAR(metric(all, "pictures_per_hour").ratio().value(), 9.0 / 4, 1e-12);
  EXPECT_EQ(metric(all, "pictures_per_hour").winner(), 0);
  EXPECT_EQ(metric(all, "parameters").winner(), -1);
  EXPECT_THROW(metric(all, "cost_per_10000"), std::out_of_range);
}

}  // namespace
}  // namespace fresco::evaluation
