#pragma once

namespace fresco::ops {
namespace {

using simd::Vec;

template <Activation kFunction>
FRESCO_INLINE Vec value_of(Vec x) {
  if constexpr (kFunction == Activation::silu) return simd::silu(x);
  if constexpr (kFunction == Activation::gelu) return simd::gelu(x);
  return simd::quick_gelu(x);
}

template <Activation kFunction>
FRESCO_INLINE void map(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + simd::kLanes <= n; i += simd::kLanes) simd::store(y + i, value_of<kFunction>(simd::load(x + i)));
  if (i < n) simd::store_first(y + i, value_of<kFunction>(simd::load_first(x + i, n - i)), n - i);
}

void apply(const float* x, int64_t n, Activation function, float* y) {
  switch (function) {
    case Activation::silu:
      return map<Activation::silu>(x, n, y);
    case Activation::gelu:
      return map<Activation::gelu>(x, n, y);
    case Activation::quick_gelu:
      return map<Activation::quick_gelu>(x, n, y);
  }
}

}  // namespace
}  // namespace fresco::ops
