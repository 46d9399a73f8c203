#pragma once
// The gradient of layer_norm: mean and deviation of a row are computed again, it stays in the first cache. After layer_norm_inl.h.

namespace fresco::ops {
namespace {

FRESCO_INLINE void gradient_row(const float* x, const float* dy, int64_t n, const float* weight, float eps, float* dx,
                                float* weight_sum, float* bias_sum) {
  const float share = 1.0f / static_cast<float>(n);
  const Vec mean = simd::broadcast(sum_row<false>(x, n, simd::zero()) * share);
  const Vec variance = simd::broadcast(sum_row<true>(x, n, mean) * share + eps);
  const Vec inverse = simd::div(simd::broadcast(1.0f), simd::sqrt(variance));
  Vec plain = simd::zero(), product = simd::zero();
  // Lanes beyond the row are zero in dy, so they add nothing.
  for (int64_t c = 0; c < n; c += simd::kLanes) {
    const int64_t left = n - c;
    const bool whole = left >= simd::kLanes;
    const auto get = [&](const float* p) { return whole ? simd::load(p) : simd::load_first(p, left); };
    const auto add = [&](float* p, Vec v) {
      whole ? simd::store(p, simd::add(simd::load(p), v))
            : simd::store_first(p, simd::add(simd::load_first(p, left), v), left);
    };
    const Vec normal = simd::mul(simd::sub(get(x + c), mean), inverse), g = get(dy + c);
    const Vec weighed = simd::mul(g, get(weight + c));
    plain = simd::add(plain, weighed);
    product = simd::mul_add(weighed, normal, product);
    add(weight_sum + c, simd::mul(g, normal));
    add(bias_sum + c, g);
  }
  const Vec constant = simd::broadcast(simd::sum(plain) * share), slope = simd::broadcast(simd::sum(product) * share);
  for (int64_t c = 0; c < n; c += simd::kLanes) {
    const int64_t left = n - c;
    const bool whole = left >= simd::kLanes;
    const auto get = [&](const float* p) { return whole ? simd::load(p) : simd::load_first(p, left); };
    const Vec normal = simd::mul(simd::sub(get(x + c), mean), inverse);
    const Vec apart = simd::sub(simd::mul(get(dy + c), get(weight + c)), simd::mul_add(normal, slope, constant));
    whole ? simd::store(dx + c, simd::mul(apart, inverse)) : simd::store_first(dx + c, simd::mul(apart, inverse), left);
  }
}

void gradient_rows(const float* x, const float* dy, int64_t rows, int64_t channels, const float* weight, float eps,
                   float* dx, float* weight_sum, float* bias_sum) {
  for (int64_t c = 0; c < channels; ++c) weight_sum[c] = bias_sum[c] = 0;
  for (int64_t r = 0; r < rows; ++r)
    gradient_row(x + r * channels, dy + r * channels, channels, weight, eps, dx + r * channels, weight_sum, bias_sum);
}

}  // namespace
}  // namespace fresco::ops
