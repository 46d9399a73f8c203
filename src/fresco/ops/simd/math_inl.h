#pragma once
// Elementary functions over the vectors of vec_*.h, which is included before. Relative error of a few units in the last place unless said.

namespace fresco::ops::simd {
namespace {

/// 2^(x * factor); x * factor is held to -126..126, so that neither end leaves the normal numbers. Relative error under
/// 2^-23 + |x * factor| * 2^-24.
FRESCO_INLINE Vec power_of_two(Vec x, float factor) {
  const float limit = 126.0f / (factor < 0 ? -factor : factor);
  const Vec k = broadcast(factor);
  x = min(max(x, broadcast(-limit)), broadcast(limit));
  const Vec n = round_to_integer(mul(x, k));
  const Vec r = neg_mul_add(x, k, n);   // n - x * factor, |r| <= 1/2
  Vec p = broadcast(1.5345812003e-4f);  // 2^-r: minimax of relative error, 2e-9 before rounding (Remez)
  p = mul_add(p, r, broadcast(-1.3399931219e-3f));
  p = mul_add(p, r, broadcast(9.6184889571e-3f));
  p = mul_add(p, r, broadcast(-5.5503287770e-2f));
  p = mul_add(p, r, broadcast(2.4022646891e-1f));
  p = mul_add(p, r, broadcast(-6.9314720574e-1f));
  p = mul_add(p, r, broadcast(1.0f));
  return scale_by_power(p, n);
}

constexpr float kLog2E = 1.44269504088896341f;

FRESCO_INLINE Vec exp(Vec x) { return power_of_two(x, kLog2E); }

/// x / (1 + e^-x)
FRESCO_INLINE Vec silu(Vec x) { return div(x, add(broadcast(1.0f), power_of_two(x, -kLog2E))); }

/// x / (1 + e^-1.702x): what CLIP calls quick gelu (Hendrycks and Gimpel 2016, section 2).
FRESCO_INLINE Vec quick_gelu(Vec x) { return div(x, add(broadcast(1.0f), power_of_two(x, -1.702f * kLog2E))); }

/// Error function of x / sqrt(2); absolute error under 2e-7 (Abramowitz and Stegun 1964, 7.1.26).
FRESCO_INLINE Vec erf_of_normal(Vec x) {
  const Vec size = abs(x);
  const Vec t = div(broadcast(1.0f), mul_add(size, broadcast(0.3275911f * 0.70710678118654752f), broadcast(1.0f)));
  Vec p = broadcast(1.061405429f);
  p = mul_add(p, t, broadcast(-1.453152027f));
  p = mul_add(p, t, broadcast(1.421413741f));
  p = mul_add(p, t, broadcast(-0.284496736f));
  p = mul_add(p, t, broadcast(0.254829592f));
  const Vec tail = mul(mul(p, t), power_of_two(mul(size, size), -0.5f * kLog2E));
  return copy_sign(sub(broadcast(1.0f), tail), x);
}

/// x * Phi(x), Phi by the error function.
FRESCO_INLINE Vec gelu(Vec x) {
  const Vec half = mul(x, broadcast(0.5f));
  return mul_add(half, erf_of_normal(x), half);
}

}  // namespace
}  // namespace fresco::ops::simd
