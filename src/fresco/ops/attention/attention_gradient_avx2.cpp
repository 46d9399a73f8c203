#include "fresco/ops/attention/attention_gradient.h"
#include "fresco/ops/gemm/outer.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
#include "fresco/ops/simd/transpose_avx2.h"
#include "fresco/ops/simd/math_inl.h"
#define FRESCO_WIDE_TILES 0
#define FRESCO_HAS_BF16 0
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/outer_inl.h"
#include "fresco/ops/attention/attention_gradient_inl.h"
#include "fresco/ops/simd/end.h"
// clang-format on

namespace fresco::ops::flash {
const GradientKernel kAvx2Gradient{gradient_scratch_bytes, head_gradient};
}  // namespace fresco::ops::flash
