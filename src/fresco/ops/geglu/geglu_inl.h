#pragma once

namespace fresco::ops {
namespace {

using simd::Vec;

void gate_rows(const float* x, int64_t rows, int64_t channels, float* y) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* value = x + r * 2 * channels;
    const float* gate = value + channels;
    float* out = y + r * channels;
    int64_t c = 0;
    for (; c + simd::kLanes <= channels; c += simd::kLanes)
      simd::store(out + c, simd::mul(simd::load(value + c), simd::gelu(simd::load(gate + c))));
    if (c == channels) continue;
    const int64_t n = channels - c;
    const Vec v = simd::mul(simd::load_first(value + c, n), simd::gelu(simd::load_first(gate + c, n)));
    simd::store_first(out + c, v, n);
  }
}

}  // namespace
}  // namespace fresco::ops
