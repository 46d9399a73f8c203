#include <cstddef>
#include <cstdint>

#include "fresco/ops/attention/flash.h"
#include "fresco/ops/simd/begin_avx512_bf16.h"
#include "fresco/ops/simd/vec_avx512.h"
// After the vectors.
#include "fresco/ops/simd/bfloat16_avx512.h"
#include "fresco/ops/simd/transpose_avx512.h"
#define FRESCO_WIDE_TILES 1
#define FRESCO_HAS_BF16 1
#include "fresco/ops/attention/flash_inl.h"
#include "fresco/ops/simd/end.h"

namespace fresco::ops::flash {
const Kernel kAvx512Bf16 = kernel_of<Bfloat16>();
}
