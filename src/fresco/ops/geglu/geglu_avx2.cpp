#include <cstdint>

#include "fresco/ops/geglu/geglu_kernel.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
#include "fresco/ops/simd/math_inl.h"
#include "fresco/ops/geglu/geglu_inl.h"
#include "fresco/ops/geglu/geglu_gradient_inl.h"
#include "fresco/ops/simd/end.h"
// clang-format on

namespace fresco::ops {
const GegluKernel kGegluAvx2{gate_rows, gradient_rows};
}
