#include <cstdint>

#include "fresco/ops/group_norm_silu/group_norm_kernel.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
#include "fresco/ops/simd/math_inl.h"
#include "fresco/ops/group_norm_silu/group_norm_inl.h"
#include "fresco/ops/group_norm_silu/group_norm_gradient_inl.h"
#include "fresco/ops/simd/end.h"
// clang-format on

namespace fresco::ops {
const GroupNormKernel kGroupNormAvx2{channel_sums, normalise, gradient_sums, input_gradient};
}
