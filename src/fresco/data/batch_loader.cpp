#include "fresco/data/batch_loader.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/data/counter_random.h"
#include "fresco/data/prefetch.h"

namespace fresco::data {
namespace {

// Plain loops, here and in picture_loader.cpp: libtorch's operators would gather a pool of threads for each thread that calls them, and
// the processors belong to those that train.
void copy_floats(const at::Tensor& from, float* to) {
  const at::Tensor whole = from.contiguous();
  if (whole.scalar_type() == at::kHalf)
    std::copy_n(whole.const_data_ptr<at::Half>(), whole.numel(), to);
  else
    std::copy_n(whole.const_data_ptr<float>(), whole.numel(), to);
}

}  // namespace

void require_even(int64_t batch, int processes) {
  if (processes >= 1 && batch % processes == 0) return;
  throw InputError("batch", fmt::format("{} samples cannot be shared out evenly among {} processes", batch, processes));
}

std::span<const Pick> share_of(std::span<const Pick> picks, int rank, int processes) {
  require_even(static_cast<int64_t>(picks.size()), processes);
  const size_t each = picks.size() / static_cast<size_t>(processes);
  return picks.subspan(each * static_cast<size_t>(rank), each);
}

std::vector<std::span<const Pick>> micro_batches(std::span<const Pick> picks, int64_t most) {
  const size_t each = most > 0 ? static_cast<size_t>(most) : picks.size();
  std::vector<std::span<const Pick>> parts;
  for (; !picks.empty(); picks = picks.subspan(std::min(each, picks.size())))
    parts.push_back(picks.first(std::min(each, picks.size())));
  return parts;
}

struct BatchLoader::Impl {
  Impl(const TrainingSet& samples, const SampleOrder& picks, LoaderSettings given)
      : set(samples),
        order(picks),
        settings(std::move(given)),
        steps(settings.first_step, settings.end_step, settings.threads, settings.ahead,
              [this](int64_t step) { return make(step); }) {}

  std::vector<MicroBatch> make(int64_t step) const {
    const c10::NoGradGuard no_gradients;
    const auto all = order.picks(step);
    const auto mine = share_of(all, settings.rank, settings.processes);
    std::vector<MicroBatch> batches;
    for (const auto micro : micro_batches(mine, settings.micro_batch)) batches.push_back(gather(micro));
    return batches;
  }

  MicroBatch gather(std::span<const Pick> picks) const {
    const auto count = static_cast<int64_t>(picks.size());
    MicroBatch batch;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t visit = picks[static_cast<size_t>(i)].visit;
      const bool mirrored = settings.flip && uniform({settings.seed, Purpose::flip, visit}) < 0.5;
      const bool dropped = uniform({settings.seed, Purpose::caption_dropout, visit}) < settings.caption_dropout;
      const Item item = set.get(picks[static_cast<size_t>(i)].position, mirrored);
      const auto& words = dropped ? settings.empty_ids : item.ids;
      if (i == 0) reserve(batch, count, item.moments, static_cast<int64_t>(words.size()));
      copy_floats(item.moments, batch.moments.data_ptr<float>() + i * item.moments.numel());
      std::ranges::copy(words, batch.ids.data_ptr<int64_t>() + i * batch.ids.size(1));
      batch.visits.push_back(visit);
    }
    return batch;
  }
  static void reserve(MicroBatch& batch, int64_t count, const at::Tensor& moments, int64_t tokens) {
    batch.moments = at::empty({count, moments.size(0), moments.size(1), moments.size(2)}, at::kFloat);
    batch.ids = at::empty({count, tokens}, at::kLong);
  }

  const TrainingSet& set;
  const SampleOrder& order;
  LoaderSettings settings;
  Prefetch<std::vector<MicroBatch>> steps;  // last: its threads read the rest
};

BatchLoader::BatchLoader(const TrainingSet& set, const SampleOrder& order, LoaderSettings settings) {
  require_even(settings.batch, settings.processes);
  if (settings.caption_dropout > 0 && settings.empty_ids.empty())
    throw InputError("caption_dropout", "expected the empty caption's tokens, got none");
  impl_ = std::make_unique<Impl>(set, order, std::move(settings));
}
BatchLoader::~BatchLoader() = default;

std::vector<MicroBatch> BatchLoader::next() { return impl_->steps.next(); }
double BatchLoader::seconds_waited() const { return impl_->steps.seconds_waited(); }

}  // namespace fresco::data
