#pragma once
// The gradient of value * gelu(gate): gelu(gate) = gate * Phi(gate), its derivative Phi(gate) + gate * phi(gate). After geglu_inl.h.

namespace fresco::ops {
namespace {

template <bool kWhole>
FRESCO_INLINE void gate_gradient(const float* value, const float* gate, const float* dy, int64_t n, float* dvalue,
                                 float* dgate) {
  const auto get = [&](const float* p) { return kWhole ? simd::load(p) : simd::load_first(p, n); };
  const auto put = [&](float* p, Vec v) { kWhole ? simd::store(p, v) : simd::store_first(p, v, n); };
  constexpr float kDensity = 0.398942280401432678f;  // 1 / sqrt(2 pi)
  const Vec g = get(gate), up = get(dy), half = simd::broadcast(0.5f);
  const Vec share = simd::mul_add(half, simd::erf_of_normal(g), half);
  const Vec density = simd::mul(simd::broadcast(kDensity), simd::power_of_two(simd::mul(g, g), -0.5f * simd::kLog2E));
  put(dvalue, simd::mul(up, simd::mul(g, share)));
  put(dgate, simd::mul(simd::mul(up, get(value)), simd::mul_add(g, density, share)));
}

void gradient_rows(const float* x, const float* dy, int64_t rows, int64_t channels, float* dx) {
  for (int64_t r = 0; r < rows; ++r, x += 2 * channels, dx += 2 * channels, dy += channels) {
    int64_t c = 0;
    for (; c + simd::kLanes <= channels; c += simd::kLanes)
      gate_gradient<true>(x + c, x + channels + c, dy + c, simd::kLanes, dx + c, dx + channels + c);
    if (c < channels) gate_gradient<false>(x + c, x + channels + c, dy + c, channels - c, dx + c, dx + channels + c);
  }
}

}  // namespace
}  // namespace fresco::ops
