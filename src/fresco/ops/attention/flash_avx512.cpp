#include <cstddef>
#include <cstdint>

#include "fresco/ops/attention/flash.h"
#include "fresco/ops/simd/begin_avx512.h"
#include "fresco/ops/simd/vec_avx512.h"
// After the vectors.
#include "fresco/ops/simd/transpose_avx512.h"
#define FRESCO_WIDE_TILES 1
#include "fresco/ops/attention/flash_inl.h"
#include "fresco/ops/simd/end.h"

namespace fresco::ops::flash {
const Kernel kAvx512 = kernel_of<Float32>();
}
