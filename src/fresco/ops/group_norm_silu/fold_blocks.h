#pragma once
// Sums in two stages: of the blocks that samples are cut into, then of each sample's blocks, as soon as its last one is there.
#include <atomic>
#include <vector>

#include "fresco/ops/parallel.h"

namespace fresco::ops {

/// sum(block) for each of batch * blocks; fold(sample, scratch) once after the last of a sample's. scratch: `doubles` of them.
template <typename Sum, typename Fold>
void fold_blocks(int64_t batch, int64_t blocks, int64_t doubles, const Sum& sum, const Fold& fold) {
  std::vector<std::atomic<int64_t>> waiting(static_cast<size_t>(batch));  // blocks of each sample without sums
  for (auto& left : waiting) left = blocks;
  parallel_for(batch * blocks, static_cast<size_t>(doubles) * sizeof(double), [&](int64_t i, std::byte* scratch) {
    sum(i);
    const int64_t sample = i / blocks;
    if (--waiting[static_cast<size_t>(sample)] == 0) fold(sample, reinterpret_cast<double*>(scratch));
  });
}

}  // namespace fresco::ops
