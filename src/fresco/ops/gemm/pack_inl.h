#pragma once
// Weights into panels, a vector at a time. After microkernel_inl.h and transpose_*.h.

namespace fresco::ops::gemm {
namespace {

/// Elements as they are.
struct PackFloats {
  using Element = float;
  static constexpr int64_t kGroup = 1;
  static FRESCO_INLINE void put(float* to, const Vec* group) { simd::store(to, group[0]); }
};

#if FRESCO_HAS_BF16
struct PackBfloat16 {
  using Element = uint16_t;
  static constexpr int64_t kGroup = 2;
  static FRESCO_INLINE void put(uint16_t* to, const Vec* group) { simd::store_pairs(to, group[0], group[1]); }
};
#endif

template <typename Kind>
void turn_rows(const float* from, int64_t stride, int64_t rows, int64_t depth, void* to, int64_t step) {
  auto* out = static_cast<typename Kind::Element*>(to);
  for (int64_t k = 0; k < depth; k += simd::kLanes) {
    const int64_t n = depth - k;
    for (int64_t half = 0; half < kPanel; half += simd::kLanes) {
      Vec v[simd::kLanes];
      for (int i = 0; i < simd::kLanes; ++i) {
        const float* p = from + (half + i) * stride + k;
        v[i] = half + i >= rows ? simd::zero() : n >= simd::kLanes ? simd::load(p) : simd::load_first(p, n);
      }
      simd::transpose(v);
      for (int i = 0; i < simd::kLanes && i < n; i += Kind::kGroup)
        Kind::put(out + (k + i) / Kind::kGroup * step + half * Kind::kGroup, v + i);
    }
  }
}

template <typename Kind>
void lay_rows(const float* from, int64_t stride, int64_t depth, int64_t columns, void* to, int64_t step) {
  auto* out = static_cast<typename Kind::Element*>(to);
  for (int64_t k = 0; k < depth; k += Kind::kGroup, out += step) {
    for (int64_t c = 0; c < kPanel; c += simd::kLanes) {
      const int64_t n = columns - c;
      const auto get = [&](int64_t row) {
        const float* p = from + row * stride + c;
        return n <= 0 || row >= depth ? simd::zero() : n >= simd::kLanes ? simd::load(p) : simd::load_first(p, n);
      };
      const Vec group[2] = {get(k), get(k + Kind::kGroup - 1)};
      Kind::put(out + c * Kind::kGroup, group);
    }
  }
}

template <typename Kind>
constexpr PackKernel pack_kernel_of() {
  return {turn_rows<Kind>, lay_rows<Kind>};
}

}  // namespace
}  // namespace fresco::ops::gemm
