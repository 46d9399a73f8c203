#pragma once
// The small linear maps of Winograd's convolution on vectors of channels. With points p_j (and one at infinity), B^T evaluates the input,
// G the kernel, A^T interpolates the output (Cook and Toom; Lavin and Gray 2016). After vec_*.h.

namespace fresco::ops::winograd {
namespace {

using simd::Vec;

/// m = 4 from 6 points 0, +-2/3, +-3/2, infinity: rounding errors less than half of those with the usual 0, +-1, +-2
/// (measured: 4.2 against 9.2 times the direct form's in bfloat16; compare Barabasz et al. 2020).
struct Tile4 {
  static constexpr int kOut = 4, kIn = 6, kScale = 1;
  static constexpr float kA = 2.0f / 3, kB = 1.5f;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB, kSum = kA2 + kB2;  // kA * kB = 1

  static FRESCO_INLINE void input(const Vec* d, int64_t step, Vec* to, int64_t to_step) {
    const Vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    const Vec a2 = simd::broadcast(kA2), b2 = simd::broadcast(kB2), sum = simd::broadcast(kSum);
    const Vec even_a = simd::neg_mul_add(b2, d2, d4), odd_a = simd::neg_mul_add(b2, d1, d3);
    const Vec even_b = simd::neg_mul_add(a2, d2, d4), odd_b = simd::neg_mul_add(a2, d1, d3);
    const Vec a = simd::broadcast(kA), b = simd::broadcast(kB);
    to[0] = simd::add(simd::neg_mul_add(sum, d2, d4), d0);
    to[to_step] = simd::mul_add(a, odd_a, even_a);
    to[2 * to_step] = simd::neg_mul_add(a, odd_a, even_a);
    to[3 * to_step] = simd::mul_add(b, odd_b, even_b);
    to[4 * to_step] = simd::neg_mul_add(b, odd_b, even_b);
    to[5 * to_step] = simd::add(simd::neg_mul_add(sum, d3, d5), d1);
  }

  static FRESCO_INLINE void kernel(const Vec* g, int64_t step, Vec* to, int64_t to_step, int64_t /*phase*/) {
    constexpr float kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));
    const Vec g0 = g[0], g1 = g[step], g2 = g[2 * step];
    const Vec even_a = simd::mul_add(simd::broadcast(kScaleA * kA2), g2, simd::mul(simd::broadcast(kScaleA), g0));
    const Vec even_b = simd::mul_add(simd::broadcast(kScaleB * kB2), g2, simd::mul(simd::broadcast(kScaleB), g0));
    const Vec a = simd::broadcast(kScaleA * kA), b = simd::broadcast(kScaleB * kB);
    to[0] = g0;
    to[to_step] = simd::mul_add(a, g1, even_a);
    to[2 * to_step] = simd::neg_mul_add(a, g1, even_a);
    to[3 * to_step] = simd::mul_add(b, g1, even_b);
    to[4 * to_step] = simd::neg_mul_add(b, g1, even_b);
    to[5 * to_step] = g2;
  }

  static FRESCO_INLINE void output(const Vec* m, int64_t step, Vec* to, int64_t to_step) {
    const Vec even_a = simd::add(m[step], m[2 * step]), odd_a = simd::sub(m[step], m[2 * step]);
    const Vec even_b = simd::add(m[3 * step], m[4 * step]), odd_b = simd::sub(m[3 * step], m[4 * step]);
    const Vec a = simd::broadcast(kA), b = simd::broadcast(kB), a2 = simd::broadcast(kA2), b2 = simd::broadcast(kB2);
    const Vec a3 = simd::broadcast(kA2 * kA), b3 = simd::broadcast(kB2 * kB);
    to[0] = simd::add(simd::add(m[0], even_a), even_b);
    to[to_step] = simd::mul_add(a, odd_a, simd::mul(b, odd_b));
    to[2 * to_step] = simd::mul_add(a2, even_a, simd::mul(b2, even_b));
    to[3 * to_step] = simd::mul_add(a3, odd_a, simd::mul_add(b3, odd_b, m[5 * step]));
  }
};

/// m = 2 from 4 points 0, 1, -1, infinity.
struct Tile2 {
  static constexpr int kOut = 2, kIn = 4, kScale = 1;

  static FRESCO_INLINE void input(const Vec* d, int64_t step, Vec* to, int64_t to_step) {
    const Vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    to[0] = simd::sub(d0, d2);
    to[to_step] = simd::add(d2, d1);
    to[2 * to_step] = simd::sub(d2, d1);
    to[3 * to_step] = simd::sub(d3, d1);
  }

  static FRESCO_INLINE void kernel(const Vec* g, int64_t step, Vec* to, int64_t to_step, int64_t /*phase*/) {
    const Vec half = simd::broadcast(0.5f);
    const Vec even = simd::mul(half, simd::add(g[0], g[2 * step])), odd = simd::mul(half, g[step]);
    to[0] = g[0];
    to[to_step] = simd::add(even, odd);
    to[2 * to_step] = simd::sub(even, odd);
    to[3 * to_step] = g[2 * step];
  }

  static FRESCO_INLINE void output(const Vec* m, int64_t step, Vec* to, int64_t to_step) {
    const Vec m1 = m[step], m2 = m[2 * step];
    to[0] = simd::add(simd::add(m[0], m1), m2);
    to[to_step] = simd::add(simd::sub(m1, m2), m[3 * step]);
  }
};

/// A picture doubled to the nearest pixel and then convolved: output rows of one parity (phase 0 or 1) see only two input rows, with
/// weights added up, so each parity is a 2x2 convolution of the small picture. m = 4 from 5 points +-1/2, +-4/3, infinity (errors in
/// bfloat16 2.6 times the direct form's, measured; 5.4 times with 0, +-1, 2).
struct Tile4Doubled {
  static constexpr int kOut = 4, kIn = 5, kScale = 2;
  static constexpr float kA = 0.5f, kB = 4.0f / 3;
  static constexpr float kA2 = kA * kA, kB2 = kB * kB;

  static FRESCO_INLINE void input(const Vec* d, int64_t step, Vec* to, int64_t to_step) {
    const Vec d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    const Vec a2 = simd::broadcast(kA2), b2 = simd::broadcast(kB2);
    const Vec a = simd::broadcast(kA), b = simd::broadcast(kB);
    const Vec odd_a = simd::neg_mul_add(b2, d1, d3), even_a = simd::neg_mul_add(b2, d0, d2);
    const Vec odd_b = simd::neg_mul_add(a2, d1, d3), even_b = simd::neg_mul_add(a2, d0, d2);
    to[0] = simd::mul_add(a, even_a, odd_a);
    to[to_step] = simd::neg_mul_add(a, even_a, odd_a);
    to[2 * to_step] = simd::mul_add(b, even_b, odd_b);
    to[3 * to_step] = simd::neg_mul_add(b, even_b, odd_b);
    to[4 * to_step] =
        simd::mul_add(simd::broadcast(kA2 * kB2), d0, simd::neg_mul_add(simd::broadcast(kA2 + kB2), d2, d4));
  }

  static FRESCO_INLINE void kernel(const Vec* g, int64_t step, Vec* to, int64_t to_step, int64_t phase) {
    constexpr float kScaleA = 1 / (2 * kA * (kA2 - kB2)), kScaleB = 1 / (2 * kB * (kB2 - kA2));
    const Vec first = phase == 0 ? g[0] : simd::add(g[0], g[step]);
    const Vec second = phase == 0 ? simd::add(g[step], g[2 * step]) : g[2 * step];
    const Vec even_a = simd::mul(simd::broadcast(kScaleA), first), even_b = simd::mul(simd::broadcast(kScaleB), first);
    const Vec a = simd::broadcast(kScaleA * kA), b = simd::broadcast(kScaleB * kB);
    to[0] = simd::mul_add(a, second, even_a);
    to[to_step] = simd::sub(simd::mul(a, second), even_a);
    to[2 * to_step] = simd::mul_add(b, second, even_b);
    to[3 * to_step] = simd::sub(simd::mul(b, second), even_b);
    to[4 * to_step] = second;
  }

  static FRESCO_INLINE void output(const Vec* m, int64_t step, Vec* to, int64_t to_step) {
    const Vec even_a = simd::add(m[0], m[step]), odd_a = simd::sub(m[0], m[step]);
    const Vec even_b = simd::add(m[2 * step], m[3 * step]), odd_b = simd::sub(m[2 * step], m[3 * step]);
    const Vec a = simd::broadcast(kA), b = simd::broadcast(kB), a2 = simd::broadcast(kA2), b2 = simd::broadcast(kB2);
    const Vec a3 = simd::broadcast(kA2 * kA), b3 = simd::broadcast(kB2 * kB);
    to[0] = simd::add(even_a, even_b);
    to[to_step] = simd::mul_add(a, odd_a, simd::mul(b, odd_b));
    to[2 * to_step] = simd::mul_add(a2, even_a, simd::mul(b2, even_b));
    to[3 * to_step] = simd::mul_add(a3, odd_a, simd::mul_add(b3, odd_b, m[4 * step]));
  }
};

}  // namespace
}  // namespace fresco::ops::winograd
