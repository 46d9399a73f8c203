#include "fresco/data/counter_random.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <vector>

#include "fresco/data/random_tensors.h"

namespace fresco::data {
namespace {

// kat_vectors of Random123, the authors' own library: philox4x32 10.
TEST(Philox, MatchesThePublishedVectors) {
  struct Case {
    RandomWords counter;
    std::array<uint32_t, 2> key;
    RandomWords expected;
  };
  const Case cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Case& one : cases) EXPECT_EQ(philox(one.counter, one.key), one.expected);
}

std::vector<float> normals(const RandomKey& key, size_t count) {
  std::vector<float> values(count);
  fill_normal(key, values);
  return values;
}

// Value i lies in a tile of 64 blocks: cosines of the first two words, sines, then the same of the last two.
double exact_normal(const RandomKey& key, size_t i) {
  const size_t tile = i / 256, part = i % 256 / 64, lane = i % 64;
  const auto words = random_words(key, static_cast<uint32_t>(tile * 64 + lane));
  const double u = (static_cast<double>(words[part / 2 * 2] >> 1) + 0.5) * 0x1p-31;
  const uint32_t turn = words[part / 2 * 2 + 1];
  const double quarter = turn >> 30, inside = static_cast<int32_t>(turn << 2) * 0x1p-32;
  const double angle = (quarter + inside) * std::numbers::pi / 2;
  return std::sqrt(-2 * std::log(u)) * (part % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

TEST(Normal, IsBoxAndMullersTransform) {
  const RandomKey key{17, Purpose::noise, 5};
  const auto values = normals(key, 100'000);
  // Rounding of u near 1 moves a small radius by a root of 2^-25; times a few units of the last place elsewhere.
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], exact_normal(key, i), std::abs(values[i]) < 0.01 ? 3e-4 : 3e-6) << i;
}

TEST(Normal, HasTheMomentsAndTheDistribution) {
  constexpr size_t kCount = 1 << 20;
  auto values = normals({3, Purpose::noise, 0}, kCount);
  double sum[4] = {}, lagged = 0;
  for (size_t i = 0; i < kCount; ++i) {
    for (int power = 1; power <= 4; ++power) sum[power - 1] += std::pow(values[i], power);
    lagged += values[i] * values[(i + 64) % kCount];
  }
  // Five deviations of each estimate: sqrt(1, 2, 15, 96) / 1024.
  EXPECT_NEAR(sum[0] / kCount, 0, 5 * 1.0 / 1024);
  EXPECT_NEAR(sum[1] / kCount, 1, 5 * 1.42 / 1024);
  EXPECT_NEAR(sum[2] / kCount, 0, 5 * 3.88 / 1024);
  EXPECT_NEAR(sum[3] / kCount, 3, 5 * 9.80 / 1024);
  EXPECT_NEAR(lagged / kCount, 0, 5 * 1.0 / 1024);
  std::ranges::sort(values);
  double farthest = 0;
  for (size_t i = 0; i < kCount; ++i)
    farthest = std::max(farthest, std::abs(0.5 * std::erfc(-values[i] / std::numbers::sqrt2) - (i + 0.5) / kCount));
  EXPECT_LT(farthest, 1.95 / 1024);  // Kolmogorov-Smirnov at 0.1 %
}

TEST(Normal, TheFirstNumbersDoNotDependOnHowManyAreAskedFor) {
  const RandomKey key{1, Purpose::posterior, 99};
  const auto all = normals(key, 1000);
  for (const size_t count : {1u, 63u, 64u, 255u, 256u, 257u, 999u})
    EXPECT_TRUE(std::ranges::equal(normals(key, count), std::span(all).first(count))) << count;
}

TEST(CounterRandom, SeedPurposeAndVisitEachChangeEverything) {
  std::set<double> seen;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40})
    for (const auto purpose : {Purpose::noise, Purpose::posterior, Purpose::timestep})
      for (const int64_t visit : {int64_t{0}, int64_t{1}, int64_t{1} << 33})
        for (uint32_t index = 0; index < 4; ++index) seen.insert(uniform({seed, purpose, visit}, index));
  EXPECT_EQ(seen.size(), 3u * 3 * 3 * 4);
}

TEST(CounterRandom, BoundedNumbersFillTheirRangeEvenly) {
  std::vector<int> counts(10);
  for (int64_t visit = 0; visit < 10'000; ++visit) ++counts[uniform_below({4, Purpose::timestep, visit}, 10)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);  // five deviations of 30
}

TEST(RandomTensors, ASampleIsTheSameInEveryBatch) {
  const std::vector<int64_t> visits{4, 5, 6, 7, 8};
  const auto whole = normal(9, Purpose::noise, visits, {4, 8, 6});
  ASSERT_EQ(whole.sizes(), (std::vector<int64_t>{5, 4, 8, 6}));
  const auto part = normal(9, Purpose::noise, std::span(visits).subspan(2, 2), {4, 8, 6});
  EXPECT_TRUE(at::equal(whole.slice(0, 2, 4), part));
  const auto timesteps = integers(9, Purpose::timestep, visits, 780, 1000);
  EXPECT_TRUE(timesteps.ge(780).logical_and(timesteps.lt(1000)).all().item<bool>());
  EXPECT_TRUE(
      at::equal(timesteps.slice(0, 2, 4), integers(9, Purpose::timestep, std::span(visits).subspan(2, 2), 780, 1000)));
  EXPECT_EQ(normal(9, Purpose::noise, {}, {4, 8, 6}).numel(), 0);
}

}  // namespace
}  // namespace fresco::data
