#pragma once
// The gradient of normalisation and silu, down channels-last memory. With v = (x - mean) * scale + bias and dz = dy * silu'(v), the gradient
// of x is dz * scale - (constant + (x - mean) * slope), where constant and slope of a group come from sums of dz and dz * (x - mean).
// After group_norm_inl.h.

namespace fresco::ops {
namespace {

/// dy * silu'(v): silu'(v) = s + v * s * (1 - s), s = 1 / (1 + e^-v).
template <bool kSilu>
FRESCO_INLINE Vec before_silu(Vec dy, Vec v) {
  if constexpr (!kSilu) return dy;
  const Vec one = simd::broadcast(1.0f);
  const Vec s = simd::div(one, simd::add(one, simd::power_of_two(v, -simd::kLog2E)));
  return simd::mul(dy, simd::mul(s, simd::mul_add(v, simd::sub(one, s), one)));
}

template <bool kSilu>
FRESCO_INLINE void gradient_sums_of(const NormGradient& g, int64_t rows, int64_t c, int64_t n, float* sum,
                                    float* product) {
  const bool whole = n >= simd::kLanes;
  const auto get = [&](const float* p) { return whole ? simd::load(p) : simd::load_first(p, n); };
  const Vec mean = get(g.norm.mean + c), scale = get(g.norm.scale + c), bias = get(g.norm.bias + c);
  Vec total = simd::zero(), products = simd::zero();
  const float* x = g.x + c;
  const float* dy = g.dy + c;
  for (int64_t r = 0; r < rows; ++r, x += g.x_stride, dy += g.dy_stride) {
    const Vec apart = simd::sub(get(x), mean);
    const Vec dz = before_silu<kSilu>(get(dy), simd::mul_add(apart, scale, bias));
    total = simd::add(total, dz);
    products = simd::mul_add(dz, apart, products);
  }
  if (whole) {
    simd::store(sum + c, total);
    simd::store(product + c, products);
  } else {
    simd::store_first(sum + c, total, n);
    simd::store_first(product + c, products, n);
  }
}

void gradient_sums(const NormGradient& g, int64_t rows, int64_t channels, bool silu, float* sum, float* product) {
  for (int64_t c = 0; c < channels; c += simd::kLanes) {
    if (silu) {
      gradient_sums_of<true>(g, rows, c, channels - c, sum, product);
    } else {
      gradient_sums_of<false>(g, rows, c, channels - c, sum, product);
    }
  }
}

template <bool kSilu, bool kWhole>
FRESCO_INLINE void gradient_of(const NormGradient& g, int64_t r, int64_t c, int64_t n, const float* constant,
                               const float* slope, float* dx) {
  const auto get = [&](const float* p) { return kWhole ? simd::load(p) : simd::load_first(p, n); };
  const Vec scale = get(g.norm.scale + c);
  const Vec apart = simd::sub(get(g.x + r * g.x_stride + c), get(g.norm.mean + c));
  const Vec dz = before_silu<kSilu>(get(g.dy + r * g.dy_stride + c), simd::mul_add(apart, scale, get(g.norm.bias + c)));
  const Vec off = simd::mul_add(apart, get(slope + c), get(constant + c));
  const Vec result = simd::sub(simd::mul(dz, scale), off);
  if (kWhole) {
    simd::store(dx + c, result);
  } else {
    simd::store_first(dx + c, result, n);
  }
}

template <bool kSilu>
FRESCO_INLINE void gradient_rows(const NormGradient& g, int64_t rows, int64_t channels, const float* constant,
                                 const float* slope, float* dx) {
  for (int64_t r = 0; r < rows; ++r, dx += channels) {
    int64_t c = 0;
    for (; c + simd::kLanes <= channels; c += simd::kLanes)
      gradient_of<kSilu, true>(g, r, c, simd::kLanes, constant, slope, dx);
    if (c < channels) gradient_of<kSilu, false>(g, r, c, channels - c, constant, slope, dx);
  }
}

void input_gradient(const NormGradient& g, int64_t rows, int64_t channels, bool silu, const float* constant,
                    const float* slope, float* dx) {
  const NormGradient here = g;  // dx cannot reach into it
  if (silu) {
    gradient_rows<true>(here, rows, channels, constant, slope, dx);
  } else {
    gradient_rows<false>(here, rows, channels, constant, slope, dx);
  }
}

}  // namespace
}  // namespace fresco::ops
