#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/gemm.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx512_bf16.h"
#include "fresco/ops/simd/vec_avx512.h"
#include "fresco/ops/simd/math_inl.h"
#define FRESCO_WIDE_TILES 1
#define FRESCO_HAS_BF16 1
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/epilogue_inl.h"
#include "fresco/ops/gemm/gemm_inl.h"
// clang-format on

namespace fresco::ops::gemm {
namespace {

void multiply_bf16(const Call& call, const Block& block, std::byte* scratch) {
  const Packed& w = call.weights;
  multiply_block<Bfloat16, ToBfloat16>(call, block, scratch, [&](int64_t panel, int64_t depth, int64_t, float*) {
    return static_cast<const uint16_t*>(w.data) + panel * w.panel_bytes() / 2 + depth * kPanel;
  });
}

}  // namespace
}  // namespace fresco::ops::gemm
#include "fresco/ops/simd/end.h"

namespace fresco::ops::gemm {
const Kernel kAvx512Bf16{kPanel, multiply_bf16};
}  // namespace fresco::ops::gemm
