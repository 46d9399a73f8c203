#pragma once
// Pairs of bfloat16 beside each other, sixteen to a vector: what dot products of bfloat16 take. After vec_avx512.h, in sources that
// begin_avx512_bf16.h opens.

namespace fresco::ops::simd {
namespace {

using Pairs = __m512bh;

FRESCO_INLINE Pairs load_pairs(const uint16_t* p) { return reinterpret_cast<Pairs>(_mm512_loadu_si512(p)); }
FRESCO_INLINE Pairs broadcast_pair(const uint16_t* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, sizeof(pair));
  return reinterpret_cast<Pairs>(_mm512_set1_epi32(pair));
}
/// Two products are added to each lane of c.
FRESCO_INLINE Vec dot_add(Pairs a, Pairs b, Vec c) { return _mm512_dpbf16_ps(c, a, b); }

/// Both rounded to the nearest, lane by lane beside each other.
FRESCO_INLINE void store_pairs(uint16_t* p, Vec first, Vec second) {
  const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  _mm512_storeu_si512(p, _mm512_permutexvar_epi16(order, both));
}

}  // namespace
}  // namespace fresco::ops::simd
