#pragma once
// Elementary functions over the vectors of vec_*.h, which is included before. Relative error of a few units in the last place unless said.

namespace fresco::ops::simd {
namespace {

/// e^x; x is held to -87..88, so that neither end leaves the normal numbers.
FRESCO_INLINE Vec exp(Vec x) {
  x = min(max(x, broadcast(-87.0f)), broadcast(88.0f));
  const Vec n = round_to_integer(mul(x, broadcast(1.44269504088896341f)));
  Vec r = neg_mul_add(n, broadcast(0.693359375f), x);        // ln 2 in two parts (Cody and Waite 1980)
  r = neg_mul_add(n, broadcast(-2.12194440054690583e-4f), r);  // |r| <= ln 2 / 2
  Vec p = broadcast(1.9875691500e-4f);                        // minimax, as in Cephes' expf (Moshier)
  p = mul_add(p, r, broadcast(1.3981999507e-3f));
  p = mul_add(p, r, broadcast(8.3334519073e-3f));
  p = mul_add(p, r, broadcast(4.1665795894e-2f));
  p = mul_add(p, r, broadcast(1.6666665459e-1f));
  p = mul_add(p, r, broadcast(5.0000001201e-1f));
  p = mul_add(p, mul(r, r), add(r, broadcast(1.0f)));
  return scale_by_power(p, n);
}

/// x / (1 + e^-x)
FRESCO_INLINE Vec silu(Vec x) { return div(x, add(broadcast(1.0f), exp(sub(zero(), x)))); }

/// Error function; absolute error under 2e-7 (Abramowitz and Stegun 1964, 7.1.26).
FRESCO_INLINE Vec erf(Vec x) {
  const Vec size = abs(x);
  const Vec t = div(broadcast(1.0f), mul_add(size, broadcast(0.3275911f), broadcast(1.0f)));
  Vec p = broadcast(1.061405429f);
  p = mul_add(p, t, broadcast(-1.453152027f));
  p = mul_add(p, t, broadcast(1.421413741f));
  p = mul_add(p, t, broadcast(-0.284496736f));
  p = mul_add(p, t, broadcast(0.254829592f));
  const Vec tail = mul(mul(p, t), exp(sub(zero(), mul(size, size))));
  return copy_sign(sub(broadcast(1.0f), tail), x);
}

/// x * Phi(x), Phi by the error function.
FRESCO_INLINE Vec gelu(Vec x) {
  const Vec half = mul(x, broadcast(0.5f));
  return mul_add(half, erf(mul(x, broadcast(0.70710678118654752f))), half);
}

}  // namespace
}  // namespace fresco::ops::simd
