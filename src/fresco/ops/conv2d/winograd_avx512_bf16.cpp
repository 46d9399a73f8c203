#include <cstddef>
#include <cstdint>

#include "fresco/ops/conv2d/winograd.h"
#include "fresco/ops/conv2d/winograd_gradient.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx512_bf16.h"
#include "fresco/ops/simd/vec_avx512.h"
#include "fresco/ops/simd/bfloat16_avx512.h"
#include "fresco/ops/simd/math_inl.h"
#define FRESCO_WIDE_TILES 1
#define FRESCO_HAS_BF16 1
// Blocks that stay within the second-level cache and what is next to it: measured best of many.
#define FRESCO_WINOGRAD_TILES 42
#define FRESCO_WINOGRAD_COLUMNS 128
#define FRESCO_WINOGRAD_DEPTH 64
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/epilogue_inl.h"
#include "fresco/ops/conv2d/winograd_transforms_inl.h"
#include "fresco/ops/conv2d/winograd_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/outer_inl.h"
#include "fresco/ops/conv2d/winograd_gradient_inl.h"
// clang-format on
#include "fresco/ops/simd/end.h"

namespace fresco::ops::winograd {
const Kernel kAvx512Bf16Of4x4 = kernel_of<Tile4, StoreBfloat16>();
const Kernel kAvx512Bf16Of2x2 = kernel_of<Tile2, StoreBfloat16>();
const Kernel kAvx512Bf16Of4x4Doubled = kernel_of<Tile4Doubled, StoreBfloat16>();
const GradientKernel kAvx512Bf16Gradient = gradient_kernel_of<outer::Bfloat16>(outer::kAvx512Bf16);
}  // namespace fresco::ops::winograd
