#pragma once
// Rows rounded to 8-bit integers, each with a step of its own. After gemm_inl.h, with AVX-512.

namespace fresco::ops::gemm {
namespace {

// A row's largest magnitude takes 127 steps; the zero of the steps is kZero.
FRESCO_INLINE float quantize_row(const float* from, int64_t n, uint8_t* to) {
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
FRESCO_INLINE void quantize_rows(const Call& call, const Block& block, int64_t depth, int64_t n, float* gathered,
                                 uint8_t* to, float* scales) {
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

}  // namespace
}  // namespace fresco::ops::gemm
