#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/gemm.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_avx512_bf16.h"
#include "fresco/ops/simd/vec_avx512.h"
#include "fresco/ops/simd/bfloat16_avx512.h"
#include "fresco/ops/simd/transpose_avx512.h"
#include "fresco/ops/simd/math_inl.h"
#define FRESCO_WIDE_TILES 1
#define FRESCO_HAS_BF16 1
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/pack_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/epilogue_inl.h"
#include "fresco/ops/gemm/gemm_inl.h"
#include "fresco/ops/gemm/int8_rows_inl.h"
// clang-format on

namespace fresco::ops::gemm {
namespace {

void multiply_bf16(const Call& call, const Block& block, std::byte* scratch) {
  const Packed& w = call.weights;
  multiply_block<Bfloat16, ToBfloat16>(call, block, scratch, [&](int64_t panel, int64_t depth, int64_t, float*) {
    return reinterpret_cast<const uint16_t*>(panel_data(w, panel, depth));
  });
}

void multiply_int8(const Call& call, const Block& block, std::byte* scratch) {
  const Room room = room_in(scratch);
  auto* rows = reinterpret_cast<uint8_t*>(room.rows);
  const Packed& w = call.weights;
  const int64_t stride = block.panels * kPanel, cut = cut_of(w.depth, Storage::i8);
  alignas(64) float scales[kMaxRows];
  for (int64_t k = 0; k < w.depth; k += cut) {
    const int64_t n = w.depth - k < cut ? w.depth - k : cut;
    quantize_rows(call, block, k, n, room.panel, rows, scales);
    for (int64_t p = 0; p < block.panels; ++p) {
      const int64_t column = (block.panel + p) * kPanel;
      const auto* b = reinterpret_cast<const uint8_t*>(panel_data(w, block.panel + p, k));
      const Tile tile{
          room.sums + p * kPanel, stride, k > 0, scales, w.scales + column, w.offsets + k / cut * w.columns() + column};
      multiply_panel<Int8, kDistanceBytes>(block.rows, n, rows, b, tile, after(w, block, p, k, n));
      if (k + n == w.depth) finish_panel(call, block, block.panel + p, tile.c, stride);
    }
  }
}

}  // namespace
}  // namespace fresco::ops::gemm
#include "fresco/ops/simd/end.h"

namespace fresco::ops::gemm {
const Kernel kAvx512Bf16{kPanel, kMost, multiply_bf16};
const Kernel kAvx512Int8{kPanel, kMost, multiply_int8};
const PackKernel kAvx512Bf16Pack = pack_kernel_of<PackBfloat16>();
}  // namespace fresco::ops::gemm
