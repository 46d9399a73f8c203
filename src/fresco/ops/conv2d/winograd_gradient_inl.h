#pragma once
// Transforms for the gradient of weights: Tile4's maps turned. After winograd_inl.h and outer_inl.h.

namespace fresco::ops::winograd {
namespace {

/// A of Tile4, whose output() is A^T, and G^T, whose kernel() is G.
struct Turned4 {
  using Form = Tile4;
  static constexpr int kOut = 4, kIn = 6;
  static constexpr float kA = Form::kA, kB = Form::kB, kA2 = Form::kA2, kB2 = Form::kB2;

  /// 4 values become 6.
  static FRESCO_INLINE void spread(const Vec* y, int64_t step, Vec* to, int64_t to_step) {
    const Vec y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    const Vec even_a = simd::mul_add(simd::broadcast(kA2), y2, y0),
              even_b = simd::mul_add(simd::broadcast(kB2), y2, y0);
    const Vec odd_a = simd::mul_add(simd::broadcast(kA2 * kA), y3, simd::mul(simd::broadcast(kA), y1));
    const Vec odd_b = simd::mul_add(simd::broadcast(kB2 * kB), y3, simd::mul(simd::broadcast(kB), y1));
    to[0] = y0;
    to[to_step] = simd::add(even_a, odd_a);
    to[2 * to_step] = simd::sub(even_a, odd_a);
    to[3 * to_step] = simd::add(even_b, odd_b);
    to[4 * to_step] = simd::sub(even_b, odd_b);
    to[5 * to_step] = y3;
  }

  /// a * x + b * y + start
  static FRESCO_INLINE Vec both(float a, Vec x, float b, Vec y, Vec start) {
    return simd::mul_add(simd::broadcast(a), x, simd::mul_add(simd::broadcast(b), y, start));
  }

  /// 6 values become 3.
  static FRESCO_INLINE void gather(const Vec* m, int64_t step, Vec* to, int64_t to_step) {
    constexpr float kScaleA = 1 / (2 * kA2 * (kA2 - kB2)), kScaleB = 1 / (2 * kB2 * (kB2 - kA2));
    const Vec even_a = simd::add(m[step], m[2 * step]), odd_a = simd::sub(m[step], m[2 * step]);
    const Vec even_b = simd::add(m[3 * step], m[4 * step]), odd_b = simd::sub(m[3 * step], m[4 * step]);
    to[0] = both(kScaleA, even_a, kScaleB, even_b, m[0]);
    to[to_step] = both(kScaleA * kA, odd_a, kScaleB * kB, odd_b, simd::zero());
    to[2 * to_step] = both(kScaleA * kA2, even_a, kScaleB * kB2, even_b, m[5 * step]);
  }
};

constexpr int kPoints4 = Turned4::kIn * Turned4::kIn;

// B^T d B of a vector of channels of one tile.
FRESCO_INLINE void input_points(const gemm::Rows& rows, int64_t tile, int64_t channel, Vec (&points)[kPoints4]) {
  if (channel >= rows.taps_channels()) {
    for (Vec& point : points) point = simd::zero();
    return;
  }
  const Place place = place_of<Tile4>(rows, {0, 0}, tile);
  const Plane plane = plane_at(rows, channel);
  Vec columns[kPoints4];
  if (plane.channels >= simd::kLanes) {
    load_patch<Tile4, true>(rows, plane, place, simd::kLanes, columns);
  } else {
    load_patch<Tile4, false>(rows, plane, place, plane.channels, columns);
  }
  for (int y = 0; y < 6; ++y) Tile4::input(columns + y * 6, 1, points + y * 6, 1);
}

// A dy A^T of a vector of channels of one tile; zeros beyond the picture.
FRESCO_INLINE void output_points(const gemm::Rows& rows, int64_t tile, int64_t channel, Vec (&points)[kPoints4]) {
  const Place place = place_of<Tile4>(rows, {0, 0}, tile);
  const int64_t n = rows.channels - channel;
  Vec columns[6 * 4];
  for (int x = 0; x < 4; ++x) {
    Vec d[4];
    for (int y = 0; y < 4; ++y) {
      const bool there = n > 0 && place.y + y < rows.out_height && place.x + x < rows.out_width;
      const int64_t pixel = (place.sample * rows.out_height + place.y + y) * rows.out_width + place.x + x;
      const float* p = rows.x + pixel * rows.x_stride + channel;
      d[y] = !there ? simd::zero() : n >= simd::kLanes ? simd::load(p) : simd::load_first(p, n);
    }
    Turned4::spread(d, 1, columns + x, 4);
  }
  for (int y = 0; y < 6; ++y) Turned4::spread(columns + y * 4, 1, points + y * 6, 1);
}

template <typename Product, typename Points>
FRESCO_INLINE void transform_panel(int64_t channel, int64_t tile, int64_t count, int64_t at, const Transformed& to,
                                   const Points& points_of) {
  using Element = typename Product::Element;
  Vec first[kPoints4], second[kPoints4];
  for (int64_t t = 0; t < count; t += Product::kGroup) {
    for (int64_t c = 0; c < to.width; c += simd::kLanes) {
      points_of(tile + t, channel + c, first);
      if (Product::kGroup == 2) {
        if (t + 1 < count) {
          points_of(tile + t + 1, channel + c, second);
        } else {
          for (Vec& point : second) point = simd::zero();
        }
      }
      std::byte* place = to.data;
      for (int p = 0; p < kPoints4; ++p, place += to.point_bytes) {
        auto* panel = reinterpret_cast<Element*>(place) + (at + t) * to.width + c * Product::kGroup;
        Product::put(panel, first[p], Product::kGroup == 2 ? second[p] : first[p]);
      }
    }
  }
}

template <typename Product>
void transform_input_tiles(const gemm::Rows& rows, int64_t channel, int64_t tile, int64_t count, int64_t at,
                           const Transformed& to) {
  transform_panel<Product>(channel, tile, count, at, to,
                           [&](int64_t t, int64_t c, Vec(&points)[kPoints4]) { input_points(rows, t, c, points); });
}

template <typename Product>
void transform_output_tiles(const gemm::Rows& rows, int64_t channel, int64_t tile, int64_t count, int64_t at,
                            const Transformed& to) {
  transform_panel<Product>(channel, tile, count, at, to,
                           [&](int64_t t, int64_t c, Vec(&points)[kPoints4]) { output_points(rows, t, c, points); });
}

void gather_weights(const float* sums, int64_t rows, int64_t columns, bool accumulate, float* weights,
                    int64_t channels) {
  const int64_t panels = (rows + simd::kLanes - 1) / simd::kLanes, step = panels * simd::kLanes * kPanel;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; c += simd::kLanes) {
      const float* from = sums + r * kPanel + c;
      Vec down[3 * 6], across[3];
      for (int x = 0; x < 6; ++x) {
        Vec m[6];
#pragma GCC unroll 6
        for (int y = 0; y < 6; ++y) m[y] = simd::load(from + (y * 6 + x) * step);
        Turned4::gather(m, 1, down + x, 6);
      }
      const int64_t n = columns - c;
      const bool whole = n >= simd::kLanes;
      for (int y = 0; y < 3; ++y) {
        Turned4::gather(down + y * 6, 1, across, 1);
        for (int x = 0; x < 3; ++x) {
          float* to = weights + (r * 9 + y * 3 + x) * channels + c;
          if (accumulate) across[x] = simd::add(across[x], whole ? simd::load(to) : simd::load_first(to, n));
          whole ? simd::store(to, across[x]) : simd::store_first(to, across[x], n);
        }
      }
    }
  }
}

template <typename Product>
constexpr GradientKernel gradient_kernel_of(const outer::Kernel& products) {
  return {Turned4::kOut, kPoints4, &products, transform_input_tiles<Product>, transform_output_tiles<Product>,
          gather_weights};
}

}  // namespace
}  // namespace fresco::ops::winograd
