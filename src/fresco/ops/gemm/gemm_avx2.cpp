#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/gemm.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
#include "fresco/ops/simd/transpose_avx2.h"
#include "fresco/ops/simd/math_inl.h"
#define FRESCO_WIDE_TILES 0
#define FRESCO_HAS_BF16 0
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/pack_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/epilogue_inl.h"
#include "fresco/ops/gemm/gemm_inl.h"
// clang-format on
#include "fresco/ops/simd/end.h"

namespace fresco::ops::gemm {
const Kernel kAvx2{kPanel, kMost, multiply_float};
const PackKernel kAvx2Pack = pack_kernel_of<PackFloats>();
}  // namespace fresco::ops::gemm
