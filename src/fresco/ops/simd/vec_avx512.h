#pragma once
// Sixteen floats. See vec_avx2.h.
#include <immintrin.h>

#include <cstdint>

#define FRESCO_INLINE inline __attribute__((always_inline))

namespace fresco::ops::simd {
namespace {

using Vec = __m512;
constexpr int64_t kLanes = 16;
constexpr int kRegisters = 32;

FRESCO_INLINE Vec zero() { return _mm512_setzero_ps(); }
FRESCO_INLINE Vec broadcast(float v) { return _mm512_set1_ps(v); }
FRESCO_INLINE Vec broadcast_from(const float* p) { return _mm512_set1_ps(*p); }
FRESCO_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
FRESCO_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }

// First n of the lanes, 0 < n < kLanes; the others read as zero and are not written.
FRESCO_INLINE __mmask16 mask_of(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
FRESCO_INLINE Vec load_first(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(mask_of(n), p); }
FRESCO_INLINE void store_first(float* p, Vec v, int64_t n) { _mm512_mask_storeu_ps(p, mask_of(n), v); }

/// Zero beyond the first n lanes.
FRESCO_INLINE Vec keep_first(Vec v, int64_t n) { return _mm512_maskz_mov_ps(mask_of(n), v); }

FRESCO_INLINE Vec load_half(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}

FRESCO_INLINE Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
FRESCO_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
FRESCO_INLINE Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
FRESCO_INLINE Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
FRESCO_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
FRESCO_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
FRESCO_INLINE Vec abs(Vec a) { return _mm512_abs_ps(a); }
FRESCO_INLINE Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
FRESCO_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const Vec bit = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}
/// a * b + c, rounded once.
FRESCO_INLINE Vec mul_add(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
/// c - a * b, rounded once.
FRESCO_INLINE Vec neg_mul_add(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
FRESCO_INLINE Vec round_to_integer(Vec a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/// v * 2^n for whole n.
FRESCO_INLINE Vec scale_by_power(Vec v, Vec n) { return _mm512_scalef_ps(v, n); }
/// What t holds beyond the whole number below it, 0 to 1; t becomes what scale_by_power takes for that number.
FRESCO_INLINE Vec take_fraction(Vec& t) {
  return _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);  // scale_by_power rounds down itself
}
FRESCO_INLINE float sum(Vec v) { return _mm512_reduce_add_ps(v); }
FRESCO_INLINE float largest(Vec v) { return _mm512_reduce_max_ps(v); }

}  // namespace
}  // namespace fresco::ops::simd
