#pragma once
// The arithmetic of layer_norm on plain memory, compiled once per instruction set. Free of libtorch.
#include <cstdint>

namespace fresco::ops {

/// One instruction set's code.
struct LayerNormKernel {
  /// y = (x - mean) / sqrt(var + eps) * weight + bias for each row of x [rows, channels].
  void (*normalise_rows)(const float* x, int64_t rows, int64_t channels, const float* weight, const float* bias,
                         float eps, float* y);
  /// dx of each row from dy [rows, channels]; the rows' sums for the gradients of weight and bias are written, not added to.
  void (*gradient_rows)(const float* x, const float* dy, int64_t rows, int64_t channels, const float* weight, float eps,
                        float* dx, float* weight_sum, float* bias_sum);
};

extern const LayerNormKernel kLayerNormAvx2;
extern const LayerNormKernel kLayerNormAvx512;

}  // namespace fresco::ops
