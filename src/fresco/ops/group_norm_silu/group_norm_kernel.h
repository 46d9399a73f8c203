#pragma once
// The arithmetic of group_norm_silu on plain memory, compiled once per instruction set. Free of libtorch.
#include <cstdint>

namespace fresco::ops {

/// What each channel goes through, each [channels]: y = (x - mean) * scale + bias.
struct ChannelNorm {
  const float* mean;
  const float* scale;
  const float* bias;
};

/// One instruction set's code.
struct GroupNormKernel {
  /// Sums of (x - shift) and (x - shift)^2 down the rows of x [rows, channels]; sums [channels] are written, not added to.
  void (*channel_sums)(const float* x, int64_t rows, int64_t channels, const float* shift, float* sum, float* square);
  /// Normalises x [rows, channels] into y, whose rows lie y_stride floats apart, with silu after it when asked.
  void (*normalise)(const float* x, int64_t rows, int64_t channels, float* y, int64_t y_stride, const ChannelNorm& norm,
                    bool silu);
};

extern const GroupNormKernel kGroupNormAvx2;
extern const GroupNormKernel kGroupNormAvx512;

}  // namespace fresco::ops
