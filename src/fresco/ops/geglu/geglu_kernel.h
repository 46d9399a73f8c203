#pragma once
// The arithmetic of geglu on plain memory, compiled once per instruction set. Free of libtorch.
#include <cstdint>

namespace fresco::ops {

/// One instruction set's code.
struct GegluKernel {
  /// y = value * gelu(gate) [rows, channels] of x [rows, 2 * channels] = [value, gate].
  void (*gate_rows)(const float* x, int64_t rows, int64_t channels, float* y);
  /// dx [rows, 2 * channels] from dy [rows, channels].
  void (*gradient_rows)(const float* x, const float* dy, int64_t rows, int64_t channels, float* dx);
};

extern const GegluKernel kGegluAvx2;
extern const GegluKernel kGegluAvx512;

}  // namespace fresco::ops
