#pragma once
// Eight floats. The same names as vec_avx512.h: kernels are written once against them, in *_inl.h files, and compiled for each
// instruction set. Internal linkage throughout: code for one instruction set never stands in for another's.
#include <immintrin.h>

#include <cstdint>

#define FRESCO_INLINE inline __attribute__((always_inline))

namespace fresco::ops::simd {
namespace {

using Vec = __m256;
constexpr int64_t kLanes = 8;
constexpr int kRegisters = 16;

FRESCO_INLINE Vec zero() { return _mm256_setzero_ps(); }
FRESCO_INLINE Vec broadcast(float v) { return _mm256_set1_ps(v); }
FRESCO_INLINE Vec broadcast_from(const float* p) { return _mm256_broadcast_ss(p); }
FRESCO_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
FRESCO_INLINE void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }

// First n of the lanes, 0 < n < kLanes; the others read as zero and are not written.
FRESCO_INLINE __m256i mask_of(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
FRESCO_INLINE Vec load_first(const float* p, int64_t n) { return _mm256_maskload_ps(p, mask_of(n)); }
FRESCO_INLINE void store_first(float* p, Vec v, int64_t n) { _mm256_maskstore_ps(p, mask_of(n), v); }

/// Zero beyond the first n lanes.
FRESCO_INLINE Vec keep_first(Vec v, int64_t n) { return _mm256_and_ps(v, _mm256_castsi256_ps(mask_of(n))); }

FRESCO_INLINE Vec load_half(const uint16_t* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

FRESCO_INLINE Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
FRESCO_INLINE Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
FRESCO_INLINE Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
FRESCO_INLINE Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
FRESCO_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
FRESCO_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
FRESCO_INLINE Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
FRESCO_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
FRESCO_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const Vec bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}
/// a * b + c, rounded once.
FRESCO_INLINE Vec mul_add(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
/// c - a * b, rounded once.
FRESCO_INLINE Vec neg_mul_add(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
FRESCO_INLINE Vec round_to_integer(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/// v * 2^n for whole n that leave v normal.
FRESCO_INLINE Vec scale_by_power(Vec v, Vec n) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), exponent));
}
/// What t holds beyond the whole number below it, 0 to 1; t becomes what scale_by_power takes for that number. t counts as no less than -126.
FRESCO_INLINE Vec take_fraction(Vec& t) {
  t = _mm256_max_ps(_mm256_set1_ps(-126.0f), t);  // in this order, so that NaN stays
  const Vec whole = _mm256_floor_ps(t);
  const Vec fraction = sub(t, whole);
  t = whole;
  return fraction;
}
FRESCO_INLINE float sum(Vec v) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
FRESCO_INLINE float largest(Vec v) {
  const __m128 half = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 pair = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
}

}  // namespace
}  // namespace fresco::ops::simd
