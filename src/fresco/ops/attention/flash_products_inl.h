#pragma once
// The two kinds of products: how operands are stored, multiplied, and made from floats. `Group` neighbours along the depth are multiplied
// by one instruction and lie side by side. After vec_*.h.

namespace fresco::ops::flash {
namespace {

using simd::kLanes;
using simd::Vec;
constexpr int64_t kPanel = 2 * kLanes;  // queries

/// 2^t for t up to 127, exact at 0, to a relative error of 1.5e-7 (Degree 5) or 9e-5 (3). Where it is below 2^-126, at most that.
template <int Degree>
FRESCO_INLINE Vec power_of_two(Vec t) {
  static_assert(Degree == 3 || Degree == 5);
  const Vec f = simd::take_fraction(t);
  Vec p;  // of least largest relative error from 0 to 1 among those with p(0) = 1
  if constexpr (Degree == 5) {
    p = simd::mul_add(simd::broadcast(1.86713028e-3f), f, simd::broadcast(9.01702978e-3f));
    p = simd::mul_add(p, f, simd::broadcast(5.57999127e-2f));
    p = simd::mul_add(p, f, simd::broadcast(2.40164444e-1f));
    p = simd::mul_add(p, f, simd::broadcast(6.93151295e-1f));
  } else {
    p = simd::mul_add(simd::broadcast(7.70670548e-2f), f, simd::broadcast(2.27644980e-1f));
    p = simd::mul_add(p, f, simd::broadcast(6.95116818e-1f));
  }
  return simd::scale_by_power(simd::mul_add(p, f, simd::broadcast(1.0f)), t);
}

struct Float32 {
  using Element = float;
  using Operand = Vec;
  static constexpr int64_t kGroup = 1;
  static FRESCO_INLINE Operand load(const float* p) { return simd::load(p); }
  static FRESCO_INLINE Operand broadcast(const float* p) { return simd::broadcast_from(p); }
  static FRESCO_INLINE Vec multiply_add(Operand a, Operand b, Vec c) { return simd::mul_add(a, b, c); }

  /// One group of a vector of columns.
  static FRESCO_INLINE void put(const Vec* group, float* to) { simd::store(to, group[0]); }
  /// The first `columns` (fewer than a vector) of a group of rows, of which `rows` are there.
  static FRESCO_INLINE void put_rows(const float* p, int64_t /*stride*/, int64_t /*rows*/, int64_t columns, float* to) {
    simd::store(to, simd::load_first(p, columns));
  }

  /// n scores of a vector of queries become weights 2^(score - largest), [n][kPanel]; returns their sum.
  static FRESCO_INLINE Vec weigh(int64_t n, const float* scores, Vec largest, float* weights) {
    Vec sum = simd::zero();
    for (int64_t s = 0; s < n; ++s) {
      const Vec w = power_of_two<5>(simd::sub(simd::load(scores + s * kPanel), largest));
      simd::store(weights + s * kPanel, w);
      sum = simd::add(sum, w);
    }
    return sum;
  }
};

#if FRESCO_HAS_BF16
struct Bfloat16 {
  using Element = uint16_t;
  using Operand = simd::Pairs;
  static constexpr int64_t kGroup = 2;
  static FRESCO_INLINE Operand load(const uint16_t* p) { return simd::load_pairs(p); }
  static FRESCO_INLINE Operand broadcast(const uint16_t* p) { return simd::broadcast_pair(p); }
  static FRESCO_INLINE Vec multiply_add(Operand a, Operand b, Vec c) { return simd::dot_add(a, b, c); }

  static FRESCO_INLINE void put(const Vec* group, uint16_t* to) { simd::store_pairs(to, group[0], group[1]); }
  static FRESCO_INLINE void put_rows(const float* p, int64_t stride, int64_t rows, int64_t columns, uint16_t* to) {
    const Vec second = rows > 1 ? simd::load_first(p + stride, columns) : simd::zero();
    simd::store_pairs(to, simd::load_first(p, columns), second);
  }

  // Weights are rounded to 8 bits of mantissa, so a shorter polynomial does.
  static FRESCO_INLINE Vec weigh(int64_t n, const float* scores, Vec largest, uint16_t* weights) {
    const auto weight = [&](int64_t s) { return power_of_two<3>(simd::sub(simd::load(scores + s * kPanel), largest)); };
    Vec sum = simd::zero();
    for (int64_t s = 0; s < n; s += 2) {
      const Vec one = weight(s), two = s + 1 < n ? weight(s + 1) : simd::zero();
      simd::store_pairs(weights + s * kPanel, one, two);
      sum = simd::add(sum, simd::add(one, two));
    }
    return sum;
  }
};
#endif

}  // namespace
}  // namespace fresco::ops::flash
