#pragma once
// How keys, values and queries lie for the tiles: keys and queries turned into columns, values in tiles of columns.

#include "fresco/ops/attention/flash_tiles_inl.h"

namespace fresco::ops::flash {
namespace {

constexpr int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/// Where the packed keys and values of a head lie, in elements.
template <typename Kind>
struct Layout {
  using Element = typename Kind::Element;
  explicit Layout(const Call& call)
      : depth(round_up(call.width, Kind::kGroup)),
        key_panel(depth * kLanes),
        values(round_up(call.keys, kMost) / kMost * key_panel),
        tiles((call.width + kMost - 1) / kMost),
        value_tile(round_up(call.keys, Kind::kGroup) * kLanes) {}

  int64_t depth;       // of keys and queries, padded
  int64_t key_panel;   // kMost keys: [depth / group][kLanes][group]
  int64_t values;      // behind all keys
  int64_t tiles;       // that the columns of values are spread over evenly
  int64_t value_tile;  // one of them: [S / group][kLanes][group]
  size_t bytes() const { return round_up((values + tiles * value_tile) * sizeof(Element), 64); }
};

/// Columns of values [first, first + count).
struct Columns {
  int64_t first, count;
};

template <typename Kind>
FRESCO_INLINE Columns columns_of(const Call& call, const Layout<Kind>& layout, int64_t tile) {
  const int64_t first = call.width * tile / layout.tiles;
  return {first, call.width * (tile + 1) / layout.tiles - first};
}

FRESCO_INLINE const float* row_of(const Call& call, const Matrix& matrix, const Head& head, int64_t row) {
  return matrix.data + head.sample * matrix.batch_stride + row * matrix.row_stride + head.index * call.width;
}

// v[i] = column i of `rows` rows of n floats each (both at most a vector), times scale; zeros for what is not there.
FRESCO_INLINE void load_columns(const float* p, int64_t stride, int64_t rows, int64_t n, Vec scale, Vec (&v)[kLanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if (i >= rows) {
      v[i] = simd::zero();
    } else {
      v[i] = simd::mul(n >= kLanes ? simd::load(p + i * stride) : simd::load_first(p + i * stride, n), scale);
    }
  }
  simd::transpose(v);
}

// Up to a vector of rows of `width` floats: to [width / group][distance][group].
template <typename Kind>
FRESCO_INLINE void put_columns(const float* p, int64_t stride, int64_t rows, int64_t width, float scale,
                               int64_t distance, typename Kind::Element* to) {
  Vec v[kLanes];
  for (int64_t d = 0; d < width; d += kLanes) {
    const int64_t n = width - d;
    load_columns(p + d, stride, rows, n, simd::broadcast(scale), v);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i += Kind::kGroup) {
      if (i < n) Kind::put(v + i, to + (d + i) * distance);
    }
  }
}

template <typename Kind>
void pack(const Call& call, const Head& head, const Panels& keys, std::byte* packed) {
  const Layout<Kind> layout(call);
  auto* base = reinterpret_cast<typename Kind::Element*>(packed);
  for (int64_t panel = keys.first; panel < keys.first + keys.count; ++panel) {
    const int64_t key = panel * kMost, n = call.keys - key < kMost ? call.keys - key : kMost;
    put_columns<Kind>(row_of(call, call.k, head, key), call.k.row_stride, n, call.width, 1, kLanes,
                      base + panel * layout.key_panel);
    const float* v = row_of(call, call.v, head, key);
    for (int64_t tile = 0; tile < layout.tiles; ++tile) {
      const Columns columns = columns_of(call, layout, tile);
      auto* to = base + layout.values + tile * layout.value_tile + key * kLanes;
      for (int64_t s = 0; s < n; s += Kind::kGroup)
        Kind::put_rows(v + s * call.v.row_stride + columns.first, call.v.row_stride, n - s, columns.count,
                       to + s * kLanes);
    }
  }
}

template <typename Kind>
size_t packed_bytes(const Call& call) {
  return Layout<Kind>(call).bytes();
}

}  // namespace
}  // namespace fresco::ops::flash
