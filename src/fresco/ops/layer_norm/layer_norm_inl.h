#pragma once
// A row is read from memory once and stays in the first cache for its mean, its variance about that mean, and its results.

namespace fresco::ops {
namespace {

using simd::Vec;

constexpr int kSums = 4;  // that do not wait for each other

// Sum over a row of term(v), or of its square: kSquares.
template <bool kSquares>
FRESCO_INLINE float sum_row(const float* x, int64_t n, Vec start) {
  Vec sums[kSums];
  for (Vec& sum : sums) sum = simd::zero();
  const auto add = [&](Vec& sum, Vec v) { sum = kSquares ? simd::mul_add(v, v, sum) : simd::add(sum, v); };
  int64_t c = 0;
  for (; c + kSums * simd::kLanes <= n; c += kSums * simd::kLanes) {
#pragma GCC unroll 4
    for (int i = 0; i < kSums; ++i) add(sums[i], simd::sub(simd::load(x + c + i * simd::kLanes), start));
  }
  for (; c + simd::kLanes <= n; c += simd::kLanes) add(sums[0], simd::sub(simd::load(x + c), start));
  if (c < n) add(sums[1], simd::keep_first(simd::sub(simd::load_first(x + c, n - c), start), n - c));
  return simd::sum(simd::add(simd::add(sums[0], sums[1]), simd::add(sums[2], sums[3])));
}

FRESCO_INLINE void normalise_row(const float* x, int64_t n, const float* weight, const float* bias, float eps,
                                 float* y) {
  const float share = 1.0f / static_cast<float>(n);
  const Vec mean = simd::broadcast(sum_row<false>(x, n, simd::zero()) * share);
  const Vec variance = simd::broadcast(sum_row<true>(x, n, mean) * share + eps);
  const Vec inverse = simd::div(simd::broadcast(1.0f), simd::sqrt(variance));
  const auto finish = [&](Vec v, Vec w, Vec b) { return simd::mul_add(simd::mul(simd::sub(v, mean), inverse), w, b); };
  int64_t c = 0;
  for (; c + simd::kLanes <= n; c += simd::kLanes)
    simd::store(y + c, finish(simd::load(x + c), simd::load(weight + c), simd::load(bias + c)));
  if (c == n) return;
  const int64_t last = n - c;
  simd::store_first(
      y + c,
      finish(simd::load_first(x + c, last), simd::load_first(weight + c, last), simd::load_first(bias + c, last)),
      last);
}

void normalise_rows(const float* x, int64_t rows, int64_t channels, const float* weight, const float* bias, float eps,
                    float* y) {
  for (int64_t r = 0; r < rows; ++r) normalise_row(x + r * channels, channels, weight, bias, eps, y + r * channels);
}

}  // namespace
}  // namespace fresco::ops
