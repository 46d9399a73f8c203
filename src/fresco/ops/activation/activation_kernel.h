#pragma once
// The arithmetic of activation on plain memory, compiled once per instruction set. Free of libtorch.
#include <cstdint>

namespace fresco::ops {

enum class Activation : uint8_t { silu, gelu, quick_gelu };

/// One instruction set's code.
struct ActivationKernel {
  /// y = f(x) for n values.
  void (*apply)(const float* x, int64_t n, Activation function, float* y);
};

extern const ActivationKernel kActivationAvx2;
extern const ActivationKernel kActivationAvx512;

}  // namespace fresco::ops
