#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "fresco/core/error.h"
#include "fresco/data/permutation.h"
#include "fresco/data/training_set.h"

namespace fresco::data {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Buckets of these sizes over positions that are mixed among them, as a data set's are.
std::vector<Bucket> buckets_of(const std::vector<int64_t>& sizes) {
  std::vector<Bucket> buckets(sizes.size());
  int64_t position = 0;
  for (int64_t round = 0; position < std::accumulate(sizes.begin(), sizes.end(), int64_t{0}); ++round)
    for (size_t b = 0; b < sizes.size(); ++b)
      if (round < sizes[b]) buckets[b].positions.push_back(position++);
  return buckets;
}

struct Case {
  std::vector<int64_t> sizes;
  int64_t batch;
};

std::vector<int64_t> positions_of(const std::vector<Pick>& picks) {
  std::vector<int64_t> positions;
  for (const Pick& pick : picks) positions.push_back(pick.position);
  return positions;
}

class SampleOrderTest : public testing::TestWithParam<Case> {};

TEST_P(SampleOrderTest, EverySampleComesOnceAnEpochAndBatchesAreOfOneBucket) {
  const auto buckets = buckets_of(GetParam().sizes);
  const SampleOrder order(buckets, GetParam().batch, 7);
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    std::set<int64_t> seen;
    std::vector<int64_t> batches(buckets.size());
    for (int64_t i = 0; i < order.steps_per_epoch(); ++i) {
      const auto positions = positions_of(order.picks(epoch * order.steps_per_epoch() + i));
      ASSERT_EQ(positions.size(), static_cast<size_t>(GetParam().batch));
      const auto home = std::ranges::find_if(
          buckets, [&](const Bucket& bucket) { return std::ranges::count(bucket.positions, positions[0]) == 1; });
      ++batches[static_cast<size_t>(home - buckets.begin())];
      for (const int64_t position : positions) {
        EXPECT_TRUE(std::ranges::count(home->positions, position) == 1) << position;
        EXPECT_TRUE(seen.insert(position).second) << position << " came twice in epoch " << epoch;
      }
    }
    for (size_t b = 0; b < buckets.size(); ++b) EXPECT_EQ(batches[b], GetParam().sizes[b] / GetParam().batch);
  }
}

TEST_P(SampleOrderTest, VisitsCountAllSamplesOfThePhase) {
  const auto buckets = buckets_of(GetParam().sizes);
  const SampleOrder order(buckets, GetParam().batch, 7);
  for (const int64_t step : {int64_t{0}, int64_t{1}, int64_t{12345}}) {
    const auto picks = order.picks(step);
    for (size_t i = 0; i < picks.size(); ++i)
      EXPECT_EQ(picks[i].visit, step * GetParam().batch + static_cast<int64_t>(i));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, SampleOrderTest,
                         testing::Values(Case{{1}, 1}, Case{{2}, 1}, Case{{2}, 2}, Case{{17}, 4}, Case{{64}, 64},
                                         Case{{3, 40, 0, 25, 8}, 8}, Case{{100, 101, 99}, 10}, Case{{1000}, 7}));

TEST(SampleOrder, ARunThatGoesOnGetsTheSamePicks) {
  const auto buckets = buckets_of({103, 57});
  const SampleOrder whole(buckets, 8, 3);
  std::vector<std::vector<int64_t>> first;
  for (int64_t step = 0; step < 50; ++step) first.push_back(positions_of(whole.picks(step)));
  for (const int64_t stopped : {1, 19, 33, 49}) {
    const SampleOrder again(buckets, 8, 3);
    for (int64_t step = stopped; step < 50; ++step)
      EXPECT_EQ(positions_of(again.picks(step)), first[static_cast<size_t>(step)]);
  }
}

TEST(SampleOrder, EpochsAndSeedsDiffer) {
  const auto buckets = buckets_of({64});
  const SampleOrder one(buckets, 8, 0), other(buckets, 8, 1);
  std::set<std::vector<int64_t>> different;
  for (int64_t step = 0; step < 16; ++step) {
    different.insert(positions_of(one.picks(step)));
    different.insert(positions_of(other.picks(step)));
  }
  EXPECT_EQ(different.size(), 32u);
}

TEST(SampleOrder, WhatFillsNoBatchIsAnotherRemainderInEachEpoch) {
  const auto buckets = buckets_of({19});
  const SampleOrder order(buckets, 8, 5);
  ASSERT_EQ(order.steps_per_epoch(), 2);
  std::map<int64_t, int> visits;
  constexpr int kEpochs = 400;
  for (int64_t step = 0; step < kEpochs * 2; ++step)
    for (const int64_t position : positions_of(order.picks(step))) ++visits[position];
  // Each is left out with probability 3/19: 63 of 400 times, give or take 7.3; five of those are allowed.
  for (int64_t position = 0; position < 19; ++position) EXPECT_NEAR(kEpochs - visits[position], 63, 37) << position;
}

TEST(SampleOrder, RefusesBatchesThatNothingFills) {
  const auto buckets = buckets_of({5, 7});
  EXPECT_THAT([&] { SampleOrder(buckets, 8, 0); },
              ThrowsMessage<InputError>(HasSubstr("no size of picture has the 8 samples of one batch: 12 samples in 2 "
                                                  "sizes, at most 7 of one")));
  EXPECT_THAT([&] { SampleOrder(buckets, 0, 0); }, ThrowsMessage<InputError>(HasSubstr("expected at least 1, got 0")));
}

TEST(Permutation, SendsEveryIndexToAnother) {
  for (uint64_t size = 1; size < 200; ++size) {
    const Permutation permutation(size, size * 31);
    std::set<uint64_t> images;
    for (uint64_t i = 0; i < size; ++i) images.insert(permutation(i));
    EXPECT_EQ(images.size(), size);
    EXPECT_EQ(*images.rbegin(), size - 1);
  }
}

// Over seeds, each ordered pair of neighbours must land on each ordered pair of places equally often: chi-squared with 41 degrees of
// freedom has mean 41 and deviation 9.1; below 41 + 6 deviations.
TEST(Permutation, NeighboursLandAnywhereEquallyOften) {
  constexpr uint64_t kSize = 7;
  constexpr int kSeeds = 8400;
  for (uint64_t first = 0; first + 1 < kSize; ++first) {
    std::map<std::pair<uint64_t, uint64_t>, int> counts;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      const Permutation permutation(kSize, seed);
      ++counts[{permutation(first), permutation(first + 1)}];
    }
    const double expected = kSeeds / 42.0;
    double chi = 0;
    for (const auto& [places, count] : counts) chi += (count - expected) * (count - expected) / expected;
    EXPECT_EQ(counts.size(), 42u);
    EXPECT_LT(chi, 41 + 6 * 9.1) << first;
  }
}

TEST(Permutation, ReachesSizesThatNoListCouldHold) {
  constexpr uint64_t kSize = 320'000'000'000;
  const Permutation permutation(kSize, 1);
  std::set<uint64_t> images;
  for (uint64_t i = kSize - 1000; i < kSize; ++i) images.insert(permutation(i));
  EXPECT_EQ(images.size(), 1000u);
  EXPECT_LT(*images.rbegin(), kSize);
  EXPECT_LT(*images.begin(), kSize / 100);
}

}  // namespace
}  // namespace fresco::data
