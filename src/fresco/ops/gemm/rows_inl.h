#pragma once
// Copies rows of the left matrix into a block whose rows lie at a fixed distance, converting them to what the products take.

namespace fresco::ops::gemm {
namespace {

/// Writes n floats as they are.
struct CopyFloats {
  using Element = float;
  static FRESCO_INLINE void put(float* to, const float* from, int64_t n) {
    int64_t i = 0;
    for (; i + simd::kLanes <= n; i += simd::kLanes) simd::store(to + i, simd::load(from + i));
    if (i < n) simd::store_first(to + i, simd::load_first(from + i, n - i), n - i);
  }
  static FRESCO_INLINE void clear(float* to, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = 0;
  }
};

#if FRESCO_HAS_BF16
struct ToBfloat16 {
  using Element = uint16_t;
  static FRESCO_INLINE void put(uint16_t* to, const float* from, int64_t n) {
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
      const auto both = _mm512_cvtne2ps_pbh(simd::load(from + i + 16), simd::load(from + i));
      _mm512_storeu_si512(to + i, reinterpret_cast<__m512i>(both));
    }
    for (; i < n; i += 16) {
      const int64_t left = n - i < 16 ? n - i : 16;
      const auto mask = static_cast<__mmask16>((1u << left) - 1);
      const auto half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, from + i));
      _mm256_mask_storeu_epi16(to + i, mask, reinterpret_cast<__m256i>(half));
    }
  }
  static FRESCO_INLINE void clear(uint16_t* to, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = 0;
  }
};
#endif

struct Pixel {
  int64_t sample, y, x;
};

FRESCO_INLINE Pixel pixel_of(const Rows& rows, int64_t row) {
  const int64_t area = rows.out_height * rows.out_width;
  const int64_t within = row % area;
  return {row / area, within / rows.out_width, within % rows.out_width};
}

// Elements [from, from + n) of one tap at input pixel index `at` (negative: outside the picture): x's channels, then skip's.
template <typename Copy>
FRESCO_INLINE void put_tap(const Rows& rows, int64_t at, int64_t from, int64_t n, typename Copy::Element* to) {
  if (at < 0) return Copy::clear(to, n);
  if (from < rows.channels) {
    const int64_t count = n < rows.channels - from ? n : rows.channels - from;
    Copy::put(to, rows.x + at * rows.x_stride + from, count);
    to += count;
    from += count;
    n -= count;
  }
  if (n > 0) Copy::put(to, rows.skip + at * rows.skip_stride + (from - rows.channels), n);
}

// Elements [depth, depth + n) of the row of one output pixel.
template <typename Copy>
FRESCO_INLINE void put_row(const Rows& rows, const Pixel& pixel, int64_t depth, int64_t n, typename Copy::Element* to) {
  const int64_t width = rows.taps_channels();
  while (n > 0) {
    const int64_t tap = depth / width, from = depth % width;
    const int64_t count = n < width - from ? n : width - from;
    const int64_t y = pixel.y * rows.stride - rows.top + tap / rows.side;
    const int64_t x = pixel.x * rows.stride - rows.left + tap % rows.side;
    const bool inside = y >= 0 && y < rows.height && x >= 0 && x < rows.width;
    put_tap<Copy>(rows, inside ? (pixel.sample * rows.height + y) * rows.width + x : -1, from, count, to);
    depth += count;
    to += count;
    n -= count;
  }
}

}  // namespace
}  // namespace fresco::ops::gemm
