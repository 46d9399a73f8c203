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
    return reinterpret_cast<const uint16_t*>(panel_data(w, panel, depth));
  });
}

// A row's largest magnitude takes 127 steps; the zero of the steps is kZero.
float quantize_row(const float* from, int64_t n, uint8_t* to) {
  Vec most = simd::zero();
  for (int64_t i = 0; i < n; i += simd::kLanes) most = simd::max(most, simd::abs(simd::load(from + i)));
  const float largest = simd::largest(most);
  const Vec steps = simd::broadcast(largest > 0 ? 127.0f / largest : 0.0f);
  const __m512i zero = _mm512_set1_epi32(kZero);
  for (int64_t i = 0; i < n; i += simd::kLanes) {
    const __m512i whole = _mm512_add_epi32(_mm512_cvtps_epi32(simd::mul(simd::load(from + i), steps)), zero);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm512_cvtusepi32_epi8(whole));
  }
  return largest / 127.0f;
}

// Rows are gathered as floats, a vector's multiple with zeros behind, and rounded to bytes.
void quantize_rows(const Call& call, const Block& block, int64_t depth, int64_t n, float* gathered, uint8_t* to,
                   float* scales) {
  const Rows& from = call.rows;
  const int64_t padded = (n + simd::kLanes - 1) / simd::kLanes * simd::kLanes;
  for (int64_t i = n; i < padded; ++i) gathered[i] = 0;
  for (int64_t r = 0; r < block.rows; ++r, to += kDistanceBytes) {
    if (from.side == 1 && from.stride == 1) {
      put_tap<CopyFloats>(from, block.row + r, depth, n, gathered);
    } else {
      put_row<CopyFloats>(from, pixel_of(from, block.row + r), depth, n, gathered);
    }
    scales[r] = quantize_row(gathered, padded, to);
  }
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
}  // namespace fresco::ops::gemm
