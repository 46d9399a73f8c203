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
  // From point to point: a cache line more than the values take, or all points of a tile would share a few sets of the caches.
  static constexpr int64_t kInputStep = kTiles * kDepth + 64 / sizeof(Element);
  static constexpr int64_t kWeightsStep = kDepth * kPanel + 64 / sizeof(Element);
  static constexpr int64_t kSumsStep = kTiles * kColumns + 64 / sizeof(float);
  static constexpr int64_t kInput = kPoints * kInputStep;  // elements
  static constexpr int64_t kWeights = kPoints * kWeightsStep;
  static constexpr int64_t kSums = kPoints * kSumsStep;  // floats
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

// The patch of pixels that a tile needs, transformed along its columns: n channels (at most a vector) of each; zeros beyond the picture.
template <typename Form, bool Whole>
FRESCO_INLINE void load_patch(const gemm::Rows& rows, const Plane& plane, const Place& place, int64_t n,
                              Vec (&columns)[Form::kIn * Form::kIn]) {
  const int64_t y0 = place.top, x0 = place.left;
  const bool inside = y0 >= 0 && x0 >= 0 && y0 + Form::kIn <= rows.height && x0 + Form::kIn <= rows.width;
  const float* origin = plane.x + ((place.sample * rows.height + y0) * rows.width + x0) * plane.stride;
  const auto get = [&](int64_t y, int64_t x) {
    const float* p = origin + (y * rows.width + x) * plane.stride;
    return Whole ? simd::load(p) : simd::load_first(p, n);
  };
  const auto there = [&](int64_t y, int64_t x) {
    return y0 + y >= 0 && y0 + y < rows.height && x0 + x >= 0 && x0 + x < rows.width;
  };
  for (int x = 0; x < Form::kIn; ++x) {
    Vec d[Form::kIn];
    if (inside) {
#pragma GCC unroll 6
      for (int y = 0; y < Form::kIn; ++y) d[y] = get(y, x);
    } else {
#pragma GCC unroll 6
      for (int y = 0; y < Form::kIn; ++y) d[y] = there(y, x) ? get(y, x) : simd::zero();
    }
    Form::input(d, 1, columns + x, Form::kIn);
  }
}

// B^T d B of a vector of channels of one tile, from B^T d; to[point * kInputStep].
template <typename Form, typename Store>
FRESCO_INLINE void transform_rows(const Vec (&columns)[Form::kIn * Form::kIn], typename Store::Element* to) {
  constexpr int64_t kStep = Sizes<Form, Store>::kInputStep;
  for (int y = 0; y < Form::kIn; ++y, to += Form::kIn * kStep) {
    Vec row[Form::kIn];
    Form::input(columns + y * Form::kIn, 1, row, 1);
#pragma GCC unroll 6
    for (int x = 0; x < Form::kIn; ++x) Store::input(to + x * kStep, row[x]);
  }
}

// Input of `tiles` tiles, channels [channel, channel + n), n <= kDepth: v [points, kInputStep apart][kTiles][kDepth].
template <typename Form, typename Store>
FRESCO_INLINE void transform_input(const gemm::Rows& rows, const Block& block, int64_t channel, int64_t n,
                                   typename Store::Element* v) {
  Vec columns[Form::kIn * Form::kIn];
  for (int64_t t = 0; t < block.tiles; ++t) {
    const Place place = place_of<Form>(rows, block.phase, block.tile + t);
    for (int64_t c = 0; c < n; c += simd::kLanes) {
      const Plane plane = plane_at(rows, channel + c);
      if (n - c >= simd::kLanes) {
        load_patch<Form, true>(rows, plane, place, simd::kLanes, columns);
      } else {
        load_patch<Form, false>(rows, plane, place, n - c, columns);
      }
      transform_rows<Form, Store>(columns, v + t * Store::kDepth + c);
    }
  }
}

FRESCO_INLINE Vec load_weight(const gemm::Packed& w, int64_t at) {
  if (w.storage == gemm::Storage::f16) return simd::load_half(static_cast<const uint16_t*>(w.data) + at);
  return simd::load(static_cast<const float*>(w.data) + at);
}

// G g of one channel and a vector of columns; reads ahead of itself, or weights would be waited for.
template <typename Form>
FRESCO_INLINE void kernel_columns(const gemm::Packed& w, const Phase& phase, int64_t at,
                                  Vec (&columns)[Form::kIn * 3]) {
  constexpr int64_t kAhead = 8 * 9 * kPanel;
  const auto* data = static_cast<const char*>(w.data);
#pragma GCC unroll 3
  for (int x = 0; x < 3; ++x) {
    Vec g[3];
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) {
      const int64_t from = at + (3 * y + x) * kPanel;
      _mm_prefetch(data + (from + kAhead) * gemm::bytes_each(w.storage), _MM_HINT_T0);
      g[y] = load_weight(w, from);
    }
    Form::kernel(g, 1, columns + x, 3, phase.y);
  }
}

// Channels [first, first + count) of one panel, count <= kDepth: u [points, kWeightsStep apart][kDepth][kPanel]; an odd count is filled
// with zeros.
template <typename Form, typename Store>
FRESCO_INLINE void transform_panel(const gemm::Packed& w, const Phase& phase, int64_t panel, int64_t first,
                                   int64_t count, typename Store::Element* u) {
  constexpr int64_t kStep = Sizes<Form, Store>::kWeightsStep;
  Vec one[Form::kIn * 3], two[Form::kIn * 3], first_row[Form::kIn], second_row[Form::kIn];
  for (int64_t k = 0; k < count; k += 2) {
    for (int64_t c = 0; c < kPanel; c += simd::kLanes) {
      const int64_t at = (panel * w.depth + first + k) * 9 * kPanel + c;
      kernel_columns<Form>(w, phase, at, one);
      if (k + 1 < count) {
        kernel_columns<Form>(w, phase, at + 9 * kPanel, two);
      } else {
        for (Vec& v : two) v = simd::zero();
      }
      for (int y = 0; y < Form::kIn; ++y) {
        Form::kernel(one + 3 * y, 1, first_row, 1, phase.x);
        Form::kernel(two + 3 * y, 1, second_row, 1, phase.x);
#pragma GCC unroll 6
        for (int x = 0; x < Form::kIn; ++x)
          Store::weights(u + (y * Form::kIn + x) * kStep, k, c, first_row[x], second_row[x]);
      }
    }
  }
}

// Interpolates a vector of columns of one tile and writes its pixels.
template <typename Form>
FRESCO_INLINE void write_tile(const Call& call, const Phase& phase, const Place& place, int64_t column,
                              const float* sums) {
  constexpr int64_t kStep = Sizes<Form, StoreFloats>::kSumsStep;
  Vec columns[Form::kOut * Form::kIn];
  for (int x = 0; x < Form::kIn; ++x) {
    Vec m[Form::kIn];
#pragma GCC unroll 6
    for (int y = 0; y < Form::kIn; ++y) m[y] = simd::load(sums + (y * Form::kIn + x) * kStep);
    Form::output(m, 1, columns + x, Form::kIn);
  }
  const gemm::Rows& in = call.rows;
  const int64_t left = call.weights.outputs - column;
  for (int64_t r = 0; r < Form::kOut; ++r) {
    const int64_t row = (place.y + r) * Form::kScale + phase.y;
    if (row >= in.out_height) break;
    Vec y[Form::kOut];
    Form::output(columns + r * Form::kIn, 1, y, 1);
#pragma GCC unroll 4
    for (int64_t c = 0; c < Form::kOut; ++c) {
      const int64_t at = (place.x + c) * Form::kScale + phase.x;
      if (at >= in.out_width) break;
      const int64_t pixel = (place.sample * in.out_height + row) * in.out_width + at;
      gemm::finish(call.epilogue, call.weights.outputs, pixel, column, left, y[c],
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

// Products of all points with n channels of one panel of transformed weights, added to what channels before gave.
template <typename Form, typename Store>
FRESCO_INLINE void multiply_points(int64_t tiles, int64_t n, const typename Store::Element* v,
                                   const typename Store::Element* u, bool accumulate, float* sums) {
  using S = Sizes<Form, Store>;
  const int64_t bytes = n * kPanel * static_cast<int64_t>(sizeof(typename Store::Element));
  for (int64_t point = 0; point < S::kPoints; ++point, u += S::kWeightsStep) {
    const gemm::Tile tile{sums + point * S::kSumsStep, kColumns, accumulate};
    gemm::multiply_panel<typename Store::Product, Store::kDepth>(tiles, n, v + point * S::kInputStep, u, tile,
                                                                 {u + S::kWeightsStep, bytes});
  }
}

template <typename Form, typename Store>
void convolve(const Call& call, const Block& block, const void* transformed, std::byte* scratch) {
  using S = Sizes<Form, Store>;
  using Element = typename Store::Element;
  auto* v = reinterpret_cast<Element*>(scratch);
  Element* own = v + S::kInput;
  auto* sums = reinterpret_cast<float*>(own + S::kWeights);
  const int64_t channels = call.weights.depth, parts = (channels + S::kDepth - 1) / S::kDepth;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t k = part * S::kDepth, n = channels - k < S::kDepth ? channels - k : S::kDepth;
    transform_input<Form, Store>(call.rows, block, k, n, v);
    for (int64_t p = 0; p < block.panels; ++p) {
      const Element* u = own;
      if (transformed != nullptr) {
        u = static_cast<const Element*>(transformed) + (p * parts + part) * S::kWeights;
      } else {
        transform_panel<Form, Store>(call.weights, block.phase, block.panel + p, k, n, own);
      }
      multiply_points<Form, Store>(block.tiles, n, v, u, k > 0, sums + p * kPanel);
    }
  }
  write_block<Form>(call, block, sums);
}

template <typename Form, typename Store>
void transform_weights(const gemm::Packed& w, const Phase& phase, int64_t panel, int64_t part, void* u) {
  using S = Sizes<Form, Store>;
  const int64_t first = part * S::kDepth, left = w.depth - first;
  transform_panel<Form, Store>(w, phase, panel, first, left < S::kDepth ? left : S::kDepth,
                               static_cast<typename Store::Element*>(u) + part * S::kWeights);
}

template <typename Form, typename Store>
constexpr Kernel kernel_of() {
  return {Form::kOut,
          Form::kIn,
          Form::kScale,
          kPanel,
          kTiles,
          kColumns,
          Store::kDepth,
          Sizes<Form, Store>::kBytes,
          Sizes<Form, Store>::kWeights * sizeof(typename Store::Element),
          transform_weights<Form, Store>,
          convolve<Form, Store>};
}

}  // namespace
}  // namespace fresco::ops::winograd
