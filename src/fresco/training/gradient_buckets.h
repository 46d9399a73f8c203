#pragma once
// Sums the gradients of all processes while the backward pass still goes on: as soon as a stretch of the flat gradient
// is complete it is sent.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "fresco/training/workers.h"

namespace fresco::training {

/// The gradients of one network: its leaves' grad() are views of `flat`, wherever they lie in it.
struct GradientSet {
  at::Tensor flat;  // [count], contiguous
  std::vector<at::Tensor> leaves;
};

struct BucketSettings {
  int64_t bytes = 25 << 20;       // a stretch that is sent at once; large ones waste no time, small ones start early
  int64_t first_bytes = 1 << 20;  // the first to be complete, so that sending begins at once
  bool sharded = false;  // every process gets the sums of its shard_of() alone; the rest of its gradients is spoiled
};

/// For a step: backward passes of all micro-batches but the last; arm(); the last backward pass; finish(). Gradients
/// then are sums over all processes; divide the losses by the samples of the whole batch to get its mean. With one
/// process nothing happens.
///
/// The first step sends everything in finish(): it learns how often each parameter's gradient is added to (cells that
/// are used twice, or run again in a nested backward pass), and in which order they come. All later steps must use
/// every parameter at most that often.
///
/// Leaves have one hook of this kind, which is taken off in the end: no two of these at once for the same leaves.
class GradientBuckets {
 public:
  GradientBuckets(Workers workers, const std::vector<GradientSet>& networks, const BucketSettings& settings = {});
  ~GradientBuckets();
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  void arm();
  /// Sends what has not gone yet and waits for all. Errors: ResourceError.
  void finish();
  /// Stretches that went on their way during the last armed backward pass, of all there are.
  int sent_early() const;
  int count() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fresco::training
