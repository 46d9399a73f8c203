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

/// Rows of an input and of the gradient of its result, with what the input went through.
struct NormGradient {
  const float* x;
  int64_t x_stride;
  const float* dy;
  int64_t dy_stride;
  ChannelNorm norm;
};

/// One instruction set's code.
struct GroupNormKernel {
  /// Sums of (x - shift) and (x - shift)^2 down the rows of x [rows, channels]; sums [channels] are written, not added to.
  void (*channel_sums)(const float* x, int64_t rows, int64_t channels, const float* shift, float* sum, float* square);
  /// Normalises x [rows, channels] into y, whose rows lie y_stride floats apart, with silu after it when asked.
  void (*normalise)(const float* x, int64_t rows, int64_t channels, float* y, int64_t y_stride, const ChannelNorm& norm,
                    bool silu);
  /// Sums of dz and of dz * (x - mean) down the rows, each [channels], where dz is the gradient before silu; written, not added to.
  void (*gradient_sums)(const NormGradient& gradient, int64_t rows, int64_t channels, bool silu, float* sum,
                        float* product);
  /// dx [rows, channels] = dz * scale - (constant + (x - mean) * slope); constant, slope [channels].
  void (*input_gradient)(const NormGradient& gradient, int64_t rows, int64_t channels, bool silu, const float* constant,
                         const float* slope, float* dx);
};

extern const GroupNormKernel kGroupNormAvx2;
extern const GroupNormKernel kGroupNormAvx512;

}  // namespace fresco::ops
