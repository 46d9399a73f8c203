#include <cstddef>
#include <cstdint>

#include "fresco/ops/attention/flash.h"
#include "fresco/ops/simd/begin_avx2.h"
#include "fresco/ops/simd/vec_avx2.h"
// After the vectors.
#include "fresco/ops/simd/transpose_avx2.h"
#define FRESCO_WIDE_TILES 0
#include "fresco/ops/attention/flash_inl.h"
#include "fresco/ops/simd/end.h"

namespace fresco::ops::flash {
const Kernel kAvx2 = kernel_of<Float32>();
}
