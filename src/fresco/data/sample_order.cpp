#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/counter_random.h"
#include "fresco/data/permutation.h"
#include "fresco/data/training_set.h"

namespace fresco::data {
namespace {

// Shuffles of an epoch are numbered: that of the batches, then one for each bucket.
Permutation shuffle(size_t count, uint64_t seed, int64_t epoch, size_t number) {
  return {count, derived_seed(derived_seed(seed, static_cast<uint64_t>(epoch)), number)};
}

}  // namespace

SampleOrder::SampleOrder(const std::vector<Bucket>& buckets, int64_t batch, uint64_t seed)
    : buckets_(buckets), batch_(batch), seed_(seed) {
  if (batch < 1) throw InputError("batch", expected_got("at least 1", fmt::format("{}", batch)));
  size_t samples = 0, largest = 0;
  batches_before_.push_back(0);
  for (const Bucket& bucket : buckets) {
    samples += bucket.positions.size();
    largest = std::max(largest, bucket.positions.size());
    batches_before_.push_back(batches_before_.back() + static_cast<int64_t>(bucket.positions.size()) / batch);
  }
  if (steps_per_epoch() == 0)
    throw InputError(
        "batch",
        fmt::format("no size of picture has the {} samples of one batch: {} samples in {} sizes, at most {} of one",
                    batch, samples, buckets.size(), largest));
}

std::vector<Pick> SampleOrder::picks(int64_t step) const {
  const int64_t epoch = step / steps_per_epoch();
  const auto batches = shuffle(static_cast<size_t>(steps_per_epoch()), seed_, epoch, 0);
  const auto chosen = static_cast<int64_t>(batches(static_cast<uint64_t>(step % steps_per_epoch())));
  const auto after = std::ranges::upper_bound(batches_before_, chosen);
  const auto number = static_cast<size_t>(after - batches_before_.begin()) - 1;
  const auto& positions = buckets_[number].positions;
  const auto samples = shuffle(positions.size(), seed_, epoch, number + 1);
  const int64_t first = (chosen - batches_before_[number]) * batch_;
  std::vector<Pick> picks;
  picks.reserve(static_cast<size_t>(batch_));
  for (int64_t i = 0; i < batch_; ++i)
    picks.push_back({positions[samples(static_cast<uint64_t>(first + i))], step * batch_ + i});
  return picks;
}

}  // namespace fresco::data
