#pragma once
// Adding up what lives at once while a computation is walked through without being done.
#include <algorithm>
#include <cstdint>
#include <memory>

namespace fresco {

/// The peak of blocks that are held together. A walk through a network holds and drops blocks where the network's code holds and
/// drops tensors.
class LiveBytes {
 public:
  /// A block of memory; it is given back when its last copy is dropped.
  using Held = std::shared_ptr<void>;

  Held hold(int64_t bytes) {
    live_ += bytes;
    peak_ = std::max(peak_, live_);
    return {nullptr, [this, bytes](void*) { live_ -= bytes; }};
  }
  int64_t peak() const { return peak_; }

 private:
  int64_t live_ = 0, peak_ = 0;
};

}  // namespace fresco
