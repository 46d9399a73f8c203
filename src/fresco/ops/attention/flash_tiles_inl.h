#pragma once
// The innermost loops: a few keys, or columns of values, times two vectors of queries, sums in registers.

#include "fresco/ops/attention/flash_products_inl.h"

namespace fresco::ops::flash {
namespace {

// Sums take kMost * 2 registers, two vectors of queries and one broadcast value the rest: 6 rows of 16, 14 of 32 registers.
constexpr int kMost = simd::kRegisters == 32 ? 14 : 6;

template <typename Kind>
struct Tiles {
  using Element = typename Kind::Element;

  // a [steps][kLanes][group], of which Rows lanes are used; b [steps][kPanel][group].
  template <int Rows>
  static FRESCO_INLINE void multiply(int64_t steps, const Element* a, const Element* b, Vec (&sums)[Rows][2]) {
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) sums[m][0] = sums[m][1] = simd::zero();
    for (int64_t k = 0; k < steps; ++k) {
      const auto b0 = Kind::load(b), b1 = Kind::load(b + kLanes * Kind::kGroup);
#pragma GCC unroll 16
      for (int m = 0; m < Rows; ++m) {
        const auto x = Kind::broadcast(a + m * Kind::kGroup);
        sums[m][0] = Kind::multiply_add(x, b0, sums[m][0]);
        sums[m][1] = Kind::multiply_add(x, b1, sums[m][1]);
      }
      a += kLanes * Kind::kGroup;
      b += kPanel * Kind::kGroup;
    }
  }

  /// Scores of Rows keys: out [Rows][kPanel]; largest [kPanel] rises with them.
  template <int Rows>
  static void score(int64_t steps, const Element* keys, const Element* queries, float* out, float* largest) {
    Vec sums[Rows][2];
    multiply<Rows>(steps, keys, queries, sums);
    Vec most[2] = {simd::load(largest), simd::load(largest + kLanes)};
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        simd::store(out + m * kPanel + half * kLanes, sums[m][half]);
        most[half] = simd::max(sums[m][half], most[half]);
      }
    }
    simd::store(largest, most[0]);
    simd::store(largest + kLanes, most[1]);
  }

  /// out [Rows][kPanel] = out * factor [kPanel] + Rows columns of values times weights.
  template <int Rows>
  static void gather(int64_t steps, const Element* values, const Element* weights, const float* factor, float* out) {
    Vec sums[Rows][2];
    multiply<Rows>(steps, values, weights, sums);
    const Vec scale[2] = {simd::load(factor), simd::load(factor + kLanes)};
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half) {
        float* to = out + m * kPanel + half * kLanes;
        simd::store(to, simd::mul_add(simd::load(to), scale[half], sums[m][half]));
      }
    }
  }

  using Score = void (*)(int64_t, const Element*, const Element*, float*, float*);
  using Gather = void (*)(int64_t, const Element*, const Element*, const float*, float*);
  static constexpr Score kScore[] = {
      score<1>, score<2>, score<3>, score<4>,  score<5>,  score<6>,
#if FRESCO_WIDE_TILES
      score<7>, score<8>, score<9>, score<10>, score<11>, score<12>, score<13>, score<14>,
#endif
  };
  static constexpr Gather kGather[] = {
      gather<1>, gather<2>, gather<3>, gather<4>,  gather<5>,  gather<6>,
#if FRESCO_WIDE_TILES
      gather<7>, gather<8>, gather<9>, gather<10>, gather<11>, gather<12>, gather<13>, gather<14>,
#endif
  };
};

}  // namespace
}  // namespace fresco::ops::flash
