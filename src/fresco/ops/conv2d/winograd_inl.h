#pragma once
// One block of a Winograd convolution, all of it in the second-level cache: for a few channels at a time the input of a few tiles is
// transformed, multiplied with transformed weights at each point, and summed; at the end the sums are interpolated to pixels. Transformed
// data never travels to memory.

namespace fresco::ops::winograd {
namespace {

using gemm::kPanel;

constexpr int64_t kTiles = FRESCO_WINOGRAD_TILES;
constexpr int64_t kColumns = FRESCO_WINOGRAD_COLUMNS;

/// Sizes of a block for one kind of products.
template <typename Form, typename Store>
struct Sizes {
  static constexpr int64_t kPoints = Form::kIn * Form::kIn;
  static constexpr int64_t kDepth = Store::kDepth;  // channels at a time
  using Element = typename Store::Element;
  static constexpr int64_t kInput = kPoints * kTiles * kDepth;  // elements
  static constexpr int64_t kWeights = kPoints * kDepth * kPanel;
  static constexpr int64_t kSums = kPoints * kTiles * kColumns;  // floats
  static constexpr size_t kBytes = (kInput + kWeights) * sizeof(Element) + kSums * sizeof(float);
};

/// Transformed values as they are.
struct StoreFloats {
  using Element = float;
  using Product = gemm::Float32;
  static constexpr int64_t kDepth = FRESCO_WINOGRAD_DEPTH;
  static FRESCO_INLINE void input(float* to, Vec v) { simd::store(to, v); }
  /// Weights of channels k and k + 1, lanes of one panel from column c: u [depth][kPanel].
  static FRESCO_INLINE void weights(float* u, int64_t k, int64_t c, Vec first, Vec second) {
    simd::store(u + k * kPanel + c, first);
    simd::store(u + (k + 1) * kPanel + c, second);
  }
};

#if FRESCO_HAS_BF16
struct StoreBfloat16 {
  using Element = uint16_t;
  using Product = gemm::Bfloat16;
  static constexpr int64_t kDepth = 2 * FRESCO_WINOGRAD_DEPTH;
  static FRESCO_INLINE void input(uint16_t* to, Vec v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
  }
  // u [depth / 2][kPanel][2]: pairs of channels lie side by side.
  static FRESCO_INLINE void weights(uint16_t* u, int64_t k, int64_t c, Vec first, Vec second) {
    const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second, first));
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(u + k * kPanel + 2 * c, _mm512_permutexvar_epi16(order, both));
  }
};
#endif

// Where a tile lies.
struct Place {
  int64_t sample, y, x;  // first output pixel, counted within its phase
  int64_t top, left;     // first input pixel
};

template <typename Form>
FRESCO_INLINE Place place_of(const gemm::Rows& rows, const Phase& phase, int64_t tile) {
  constexpr int64_t kStep = Form::kOut * Form::kScale;
  const int64_t across = (rows.out_width + kStep - 1) / kStep;
  const int64_t down = (rows.out_height + kStep - 1) / kStep;
  const int64_t within = tile % (across * down);
  const int64_t y = within / across * Form::kOut, x = within % across * Form::kOut;
  return {tile / (across * down), y, x, y - rows.top + phase.y, x - rows.left + phase.x};
}

// One of the two inputs, from a channel on.
struct Plane {
  const float* x;
  int64_t stride, channels;  // floats from pixel to pixel; channels left
};

FRESCO_INLINE Plane plane_at(const gemm::Rows& rows, int64_t channel) {
  if (channel < rows.channels) return {rows.x + channel, rows.x_stride, rows.channels - channel};
  const int64_t c = channel - rows.channels;
  return {rows.skip + c, rows.skip_stride, rows.skip_channels - c};
}

// The patch of pixels that a tile needs: n channels (at most a vector) from each; zeros beyond the picture.
template <typename Form, bool Whole>
FRESCO_INLINE void load_patch(const gemm::Rows& rows, const Plane& plane, const Place& place, int64_t n,
                              Vec (&d)[Form::kIn * Form::kIn]) {
  const int64_t y0 = place.top, x0 = place.left;
  const bool inside = y0 >= 0 && x0 >= 0 && y0 + Form::kIn <= rows.height && x0 + Form::kIn <= rows.width;
  const float* origin = plane.x + ((place.sample * rows.height + y0) * rows.width + x0) * plane.stride;
  const auto get = [&](int64_t y, int64_t x) {
    const float* p = origin + (y * rows.width + x) * plane.stride;
    return Whole ? simd::load(p) : simd::load_first(p, n);
  };
  if (inside) {
    for (int y = 0; y < Form::kIn; ++y) {
#pragma GCC unroll 6
      for (int x = 0; x < Form::kIn; ++x) d[y * Form::kIn + x] = get(y, x);
    }
    return;
  }
  for (int y = 0; y < Form::kIn; ++y) {
    const bool row = y0 + y >= 0 && y0 + y < rows.height;
    for (int x = 0; x < Form::kIn; ++x) {
      const bool there = row && x0 + x >= 0 && x0 + x < rows.width;
      d[y * Form::kIn + x] = there ? get(y, x) : simd::zero();
    }
  }
}

// B^T d B of a vector of channels of one tile; to[point * kTiles * kDepth].
template <typename Form, typename Store>
FRESCO_INLINE void transform_patch(const Vec (&d)[Form::kIn * Form::kIn], typename Store::Element* to) {
  constexpr int64_t kStep = kTiles * Store::kDepth;
  Vec columns[Form::kIn * Form::kIn], row[Form::kIn];
#pragma GCC unroll 6
  for (int x = 0; x < Form::kIn; ++x) Form::input(d + x, Form::kIn, columns + x, Form::kIn);
#pragma GCC unroll 6
  for (int y = 0; y < Form::kIn; ++y) {
    Form::input(columns + y * Form::kIn, 1, row, 1);
#pragma GCC unroll 6
    for (int x = 0; x < Form::kIn; ++x) Store::input(to + (y * Form::kIn + x) * kStep, row[x]);
  }
}

// Input of `tiles` tiles, channels [channel, channel + n), n <= kDepth: v [points][kTiles][kDepth].
template <typename Form, typename Store>
FRESCO_INLINE void transform_input(const gemm::Rows& rows, const Block& block, int64_t channel, int64_t n,
                                   typename Store::Element* v) {
  Vec d[Form::kIn * Form::kIn];
  for (int64_t t = 0; t < block.tiles; ++t) {
    const Place place = place_of<Form>(rows, block.phase, block.tile + t);
    for (int64_t c = 0; c < n; c += simd::kLanes) {
      const Plane plane = plane_at(rows, channel + c);
      if (n - c >= simd::kLanes) {
        load_patch<Form, true>(rows, plane, place, simd::kLanes, d);
      } else {
        load_patch<Form, false>(rows, plane, place, n - c, d);
      }
      transform_patch<Form, Store>(d, v + t * Store::kDepth + c);
    }
  }
}

FRESCO_INLINE Vec load_weight(const gemm::Packed& w, int64_t at) {
  if (w.storage == gemm::Storage::f16) return simd::load_half(static_cast<const uint16_t*>(w.data) + at);
  return simd::load(static_cast<const float*>(w.data) + at);
}

// G g G^T of one channel and a vector of columns.
template <typename Form>
FRESCO_INLINE void transform_kernel(const gemm::Packed& w, const Phase& phase, int64_t at,
                                    Vec (&u)[Form::kIn * Form::kIn]) {
  Vec g[9], columns[Form::kIn * 3];
#pragma GCC unroll 9
  for (int i = 0; i < 9; ++i) g[i] = load_weight(w, at + i * kPanel);
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) Form::kernel(g + x, 3, columns + x, 3, phase.y);
#pragma GCC unroll 6
  for (int y = 0; y < Form::kIn; ++y) Form::kernel(columns + y * 3, 1, u + y * Form::kIn, 1, phase.x);
}

// Channels [first, first + count) of one panel, `step` elements from point to point; an odd count is filled with zeros.
template <typename Form, typename Store>
FRESCO_INLINE void transform_panel(const gemm::Packed& w, const Phase& phase, int64_t panel, int64_t first,
                                   int64_t count, int64_t step, typename Store::Element* u) {
  constexpr int kPoints = Form::kIn * Form::kIn;
  Vec one[kPoints], two[kPoints];
  for (int64_t k = 0; k < count; k += 2) {
    for (int64_t c = 0; c < kPanel; c += simd::kLanes) {
      const int64_t at = (panel * w.depth + first + k) * 9 * kPanel + c;
      transform_kernel<Form>(w, phase, at, one);
      if (k + 1 < count) {
        transform_kernel<Form>(w, phase, at + 9 * kPanel, two);
      } else {
        for (Vec& v : two) v = simd::zero();
      }
#pragma GCC unroll 36
      for (int p = 0; p < kPoints; ++p) Store::weights(u + p * step, k, c, one[p], two[p]);
    }
  }
}

// Interpolates a vector of columns of one tile and writes its pixels.
template <typename Form>
FRESCO_INLINE void write_tile(const Call& call, const Phase& phase, const Place& place, int64_t column,
                              const float* sums) {
  constexpr int64_t kStep = kTiles * kColumns;
  Vec m[Form::kIn * Form::kIn], rows[Form::kOut * Form::kIn], y[Form::kOut * Form::kOut];
#pragma GCC unroll 36
  for (int p = 0; p < Form::kIn * Form::kIn; ++p) m[p] = simd::load(sums + p * kStep);
#pragma GCC unroll 6
  for (int x = 0; x < Form::kIn; ++x) Form::output(m + x, Form::kIn, rows + x, Form::kIn);
#pragma GCC unroll 4
  for (int r = 0; r < Form::kOut; ++r) Form::output(rows + r * Form::kIn, 1, y + r * Form::kOut, 1);
  const gemm::Rows& in = call.rows;
  const int64_t left = call.weights.outputs - column;
  alignas(64) float finished[simd::kLanes];
  for (int64_t r = 0; r < Form::kOut; ++r) {
    const int64_t row = (place.y + r) * Form::kScale + phase.y;
    if (row >= in.out_height) break;
    for (int64_t c = 0; c < Form::kOut; ++c) {
      const int64_t at = (place.x + c) * Form::kScale + phase.x;
      if (at >= in.out_width) break;
      const int64_t pixel = (place.sample * in.out_height + row) * in.out_width + at;
      simd::store(finished, y[r * Form::kOut + c]);
      gemm::finish(call.epilogue, call.weights.outputs, pixel, column, left, finished,
                   call.out + pixel * call.out_stride + column);
    }
  }
}

template <typename Form>
FRESCO_INLINE void write_block(const Call& call, const Block& block, const float* sums) {
  for (int64_t t = 0; t < block.tiles; ++t) {
    const Place place = place_of<Form>(call.rows, block.phase, block.tile + t);
    for (int64_t c = 0; c < block.panels * kPanel; c += simd::kLanes) {
      const int64_t column = block.panel * kPanel + c;
      if (column < call.weights.outputs) write_tile<Form>(call, block.phase, place, column, sums + t * kColumns + c);
    }
  }
}

template <typename Form, typename Store>
void convolve(const Call& call, const Block& block, const void* transformed, std::byte* scratch) {
  using S = Sizes<Form, Store>;
  using Element = typename Store::Element;
  auto* v = reinterpret_cast<Element*>(scratch);
  Element* own = v + S::kInput;
  auto* sums = reinterpret_cast<float*>(own + S::kWeights);
  const int64_t channels = call.weights.depth, even = (channels + 1) / 2 * 2;
  for (int64_t k = 0; k < channels; k += S::kDepth) {
    const int64_t n = channels - k < S::kDepth ? channels - k : S::kDepth;
    transform_input<Form, Store>(call.rows, block, k, n, v);
    for (int64_t p = 0; p < block.panels; ++p) {
      const Element* u = static_cast<const Element*>(transformed);
      int64_t step = S::kDepth * kPanel;
      if (u != nullptr) {
        step = even * kPanel;
        u += p * S::kPoints * step + k * kPanel;
      } else {
        transform_panel<Form, Store>(call.weights, block.phase, block.panel + p, k, n, step, own);
        u = own;
      }
      for (int64_t point = 0; point < S::kPoints; ++point) {
        const gemm::Tile tile{sums + point * kTiles * kColumns + p * kPanel, kColumns, k > 0};
        gemm::multiply_panel<typename Store::Product, Store::kDepth>(block.tiles, n, v + point * kTiles * Store::kDepth,
                                                                     u + point * step, tile);
      }
    }
  }
  write_block<Form>(call, block, sums);
}

template <typename Form, typename Store>
void transform_weights(const gemm::Packed& w, const Phase& phase, int64_t panel, int64_t first, int64_t count,
                       void* u) {
  const int64_t step = (w.depth + 1) / 2 * 2 * kPanel;
  transform_panel<Form, Store>(w, phase, panel, first, count, step,
                               static_cast<typename Store::Element*>(u) + first * kPanel);
}

template <typename Form, typename Store>
constexpr Kernel kernel_of() {
  return {Form::kOut,
          Form::kIn,
          Form::kScale,
          kPanel,
          kTiles,
          kColumns,
          Sizes<Form, Store>::kBytes,
          sizeof(typename Store::Element),
          transform_weights<Form, Store>,
          convolve<Form, Store>};
}

}  // namespace
}  // namespace fresco::ops::winograd
