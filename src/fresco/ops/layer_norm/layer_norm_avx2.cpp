#include <cstdint>

#include "fresco/ops/layer_norm/layer_norm_kernel.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
#include "fresco/ops/layer_norm/layer_norm_inl.h"
#include "fresco/ops/layer_norm/layer_norm_gradient_inl.h"
#include "fresco/ops/simd/end.h"
// clang-format on

namespace fresco::ops {
const LayerNormKernel kLayerNormAvx2{normalise_rows, gradient_rows};
}
