#pragma once
// What each step of a training computes on, made ready in the background.
#include <memory>
#include <span>

#include "fresco/data/training_set.h"

namespace fresco::data {

struct LoaderSettings {
  int64_t batch = 0;        // samples a step, over all processes: that of the order
  int64_t micro_batch = 0;  // samples at once; 0: all of this process's share
  uint64_t seed = 0;        // of dropped captions and flips
  int rank = 0, processes = 1;
  double caption_dropout = 0;
  std::vector<int32_t> empty_ids;  // [77] of the empty caption; needed for dropout
  bool flip = false;
  int64_t first_step = 0, end_step = 0;
  int threads = 1;
  int64_t ahead = 3;  // steps
};

/// Part of a process's share of a step. All its samples are of one size.
struct MicroBatch {
  at::Tensor moments;           // [b, 2 * latent, h, w] float32
  at::Tensor ids;               // [b, 77] int64
  std::vector<int64_t> visits;  // b
};

/// Rank r of n takes the r-th part of each step's samples, cut into micro-batches in order. Captions are dropped and pictures mirrored by
/// visit: what a sample becomes depends neither on ranks nor on micro-batches.
class BatchLoader {
 public:
  /// Both must outlive the loader. Errors: InputError when the batch cannot be shared out evenly.
  BatchLoader(const TrainingSet& set, const SampleOrder& order, LoaderSettings settings);
  ~BatchLoader();

  /// Of the next step; not to be called beyond end_step. Errors: those of the set.
  std::vector<MicroBatch> next();
  /// Spent by next() waiting, in all.
  double seconds_waited() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Errors: InputError when `processes` does not divide a batch.
void require_even(int64_t batch, int processes);
/// The samples of rank `rank` of `processes`. Errors: as require_even.
std::span<const Pick> share_of(std::span<const Pick> picks, int rank, int processes);
/// Cut in order into parts of at most `most` samples; 0: one part.
std::vector<std::span<const Pick>> micro_batches(std::span<const Pick> picks, int64_t most);

}  // namespace fresco::data
