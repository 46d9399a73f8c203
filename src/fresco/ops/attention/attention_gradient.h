#pragma once
// The gradient of attention, a block of queries at a time against all keys of a head: scores are computed again, none are stored whole
// (Dao et al. 2022). Products in float32. Free of libtorch.
#include <cstddef>
#include <cstdint>

#include "fresco/ops/attention/flash.h"

namespace fresco::ops::flash {

/// call.out is not used. Gradients are dense, [B, T, N*D] and [B, S, N*D].
struct GradientCall {
  Call call;
  Matrix dy;  // [B, T, N*D]
  float *dq, *dk, *dv;
};

/// One instruction set's code.
struct GradientKernel {
  size_t (*scratch_bytes)(const Call& call);
  /// All of one head. scratch: aligned to 64.
  void (*head)(const GradientCall& call, const Head& head, std::byte* scratch);
};

extern const GradientKernel kAvx2Gradient, kAvx512Gradient;

}  // namespace fresco::ops::flash
