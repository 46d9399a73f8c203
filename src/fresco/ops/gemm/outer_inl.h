#pragma once
// The innermost loops of products of two tall matrices: half a vector of columns of the first at a time, two vectors of the second, sums in
// registers. After rows_inl.h.

namespace fresco::ops::outer {
namespace {

using gemm::kPanel;
using simd::Vec;

constexpr int kRows = simd::kLanes / 2;  // at a time: with two vectors of columns half of the registers

struct Float32 {
  using Element = float;
  using Operand = Vec;
  static constexpr int64_t kGroup = 1;
  static FRESCO_INLINE Operand load(const float* p) { return simd::load(p); }
  static FRESCO_INLINE Operand broadcast(const float* p) { return simd::broadcast_from(p); }
  static FRESCO_INLINE Vec multiply_add(Operand a, Operand b, Vec c) { return simd::mul_add(a, b, c); }
  static FRESCO_INLINE void put(float* to, Vec first, Vec /*second*/) { simd::store(to, first); }
};

#if FRESCO_HAS_BF16
struct Bfloat16 {
  using Element = uint16_t;
  using Operand = simd::Pairs;
  static constexpr int64_t kGroup = 2;
  static FRESCO_INLINE Operand load(const uint16_t* p) { return simd::load_pairs(p); }
  static FRESCO_INLINE Operand broadcast(const uint16_t* p) { return simd::broadcast_pair(p); }
  static FRESCO_INLINE Vec multiply_add(Operand a, Operand b, Vec c) { return simd::dot_add(a, b, c); }
  static FRESCO_INLINE void put(uint16_t* to, Vec first, Vec second) { simd::store_pairs(to, first, second); }
};
#endif

// kRows columns of a, two vectors of columns of b: steps groups of rows.
template <typename Kind>
FRESCO_INLINE void multiply_half(int64_t steps, const typename Kind::Element* a, const typename Kind::Element* b,
                                 bool accumulate, float* c, int64_t stride) {
  Vec sums[kRows][2];
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) sums[m][0] = sums[m][1] = simd::zero();
  for (int64_t k = 0; k < steps; ++k) {
    const auto b0 = Kind::load(b), b1 = Kind::load(b + simd::kLanes * Kind::kGroup);
#pragma GCC unroll 8
    for (int m = 0; m < kRows; ++m) {
      const auto x = Kind::broadcast(a + m * Kind::kGroup);
      sums[m][0] = Kind::multiply_add(x, b0, sums[m][0]);
      sums[m][1] = Kind::multiply_add(x, b1, sums[m][1]);
    }
    a += simd::kLanes * Kind::kGroup;
    b += kPanel * Kind::kGroup;
  }
#pragma GCC unroll 8
  for (int m = 0; m < kRows; ++m) {
    float* to = c + m * stride;
    if (accumulate) {
      sums[m][0] = simd::add(sums[m][0], simd::load(to));
      sums[m][1] = simd::add(sums[m][1], simd::load(to + simd::kLanes));
    }
    simd::store(to, sums[m][0]);
    simd::store(to + simd::kLanes, sums[m][1]);
  }
}

// A whole tile.
template <typename Kind>
FRESCO_INLINE void multiply_whole(int64_t depth, const typename Kind::Element* a, const typename Kind::Element* b,
                                  bool accumulate, float* c, int64_t stride) {
  const int64_t steps = (depth + Kind::kGroup - 1) / Kind::kGroup;
  multiply_half<Kind>(steps, a, b, accumulate, c, stride);
  multiply_half<Kind>(steps, a + kRows * Kind::kGroup, b, accumulate, c + kRows * stride, stride);
}

template <typename Kind>
void multiply(int64_t depth, const void* a, const void* b, int64_t rows, int64_t columns, bool accumulate, float* c,
              int64_t stride) {
  using Element = typename Kind::Element;
  const auto *left = static_cast<const Element*>(a), *right = static_cast<const Element*>(b);
  if (rows == simd::kLanes && columns == kPanel) return multiply_whole<Kind>(depth, left, right, accumulate, c, stride);
  alignas(64) float tile[simd::kLanes * kPanel];
  multiply_whole<Kind>(depth, left, right, false, tile, kPanel);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < columns; ++i) {
      float& to = c[r * stride + i];
      to = accumulate ? to + tile[r * kPanel + i] : tile[r * kPanel + i];
    }
  }
}

// A row of the matrix: where it lies, or a copy of the pixels under a kernel.
FRESCO_INLINE const float* row_of(const gemm::Rows& from, int64_t row, float* room) {
  if (from.side == 1 && from.stride == 1 && from.skip == nullptr) return from.x + row * from.x_stride;
  gemm::put_row<gemm::CopyFloats>(from, gemm::pixel_of(from, row), 0, from.depth(), room);
  return room;
}

template <typename Kind>
void pack(const gemm::Rows& from, int64_t first, int64_t count, int64_t width, std::byte* to, int64_t panel_bytes,
          float* row_room) {
  using Element = typename Kind::Element;
  const int64_t columns = from.depth();
  for (int64_t r = 0; r < count; r += Kind::kGroup) {
    const float* row = row_of(from, first + r, row_room);
    const bool two = Kind::kGroup == 2 && r + 1 < count;
    const float* next = two ? row_of(from, first + r + 1, row_room + columns) : row;
    for (int64_t c = 0; c < columns; c += simd::kLanes) {
      const int64_t n = columns - c;
      const auto get = [&](const float* p) {
        return n >= simd::kLanes ? simd::load(p + c) : simd::load_first(p + c, n);
      };
      auto* panel = reinterpret_cast<Element*>(to + c / width * panel_bytes);
      Kind::put(panel + r * width + c % width * Kind::kGroup, get(row), two ? get(next) : simd::zero());
    }
    // The second vector of a panel that ends before it.
    for (int64_t c = (columns + simd::kLanes - 1) / simd::kLanes * simd::kLanes; c % width != 0; c += simd::kLanes) {
      auto* panel = reinterpret_cast<Element*>(to + c / width * panel_bytes);
      Kind::put(panel + r * width + c % width * Kind::kGroup, simd::zero(), simd::zero());
    }
  }
}

template <typename Kind>
constexpr Kernel kernel_of() {
  return {simd::kLanes, kPanel, Kind::kGroup, sizeof(typename Kind::Element), pack<Kind>, multiply<Kind>};
}

}  // namespace
}  // namespace fresco::ops::outer
