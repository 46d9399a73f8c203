#pragma once
// The arithmetic of group_norm_silu on plain memory, compiled once per instruction set and chosen at run time. Free of libtorch.
#include <cstdint>

namespace fresco::ops {

/// Sums of (x - shift) and (x - shift)^2 down the rows of x [rows, channels]; sums [channels] are written, not added to.
void channel_sums(const float* x, int64_t rows, int64_t channels, int64_t row_stride, const float* shift, float* sum,
                  float* square);

/// What each channel goes through, each [channels]: y = (x - mean) * scale + bias.
struct ChannelNorm {
  const float* mean;
  const float* scale;
  const float* bias;
};

/// Normalises x [rows, channels] with stride x_stride into y with stride y_stride, with silu after it when asked.
void normalise_silu(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t channels,
                    const ChannelNorm& norm, bool silu);

}  // namespace fresco::ops
