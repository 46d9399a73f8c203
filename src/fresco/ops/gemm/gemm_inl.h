#pragma once
// A block of a product: rows are copied beside each other once, the depth is cut so that a panel and a tile's rows stay in the first cache,
// sums of a block stay in the second. The cuts depend on the shape of the weights alone, so a row's result does not depend on its
// neighbours, on threads or on batches.

namespace fresco::ops::gemm {
namespace {

constexpr int64_t kDistanceBytes = kRowBytes + 64;  // between rows: not a multiple of a page

template <typename Copy>
constexpr int64_t kDistance = kDistanceBytes / static_cast<int64_t>(sizeof(typename Copy::Element));

// Where a panel's weights lie from a depth on.
FRESCO_INLINE const std::byte* panel_data(const Packed& w, int64_t panel, int64_t depth) {
  return static_cast<const std::byte*>(w.data) + panel * w.panel_bytes() + depth * kPanel * bytes_each(w.storage);
}

// The weights that a block multiplies after those of panel p and depths [k, k + n).
FRESCO_INLINE Ahead after(const Packed& w, const Block& block, int64_t p, int64_t k, int64_t n) {
  const int64_t bytes = n * kPanel * bytes_each(w.storage);
  if (p + 1 < block.panels) return {panel_data(w, block.panel + p + 1, k), bytes};
  if (k + n < w.depth) return {panel_data(w, block.panel, k + n), bytes};
  return {};
}

// Panels stored as float16 are converted once a block.
FRESCO_INLINE const float* float_panel(const Packed& w, int64_t panel, int64_t depth, int64_t n, float* room) {
  const std::byte* data = panel_data(w, panel, depth);
  if (w.storage == Storage::f32) return reinterpret_cast<const float*>(data);
  const auto* halves = reinterpret_cast<const uint16_t*>(data);
  for (int64_t i = 0; i < n * kPanel; i += simd::kLanes) simd::store(room + i, simd::load_half(halves + i));
  return room;
}

constexpr int64_t kRowsAhead = 3;

// Fetches elements [depth, depth + n) of a row of x.
FRESCO_INLINE void fetch_row(const Rows& from, int64_t row, int64_t depth, int64_t n) {
  constexpr int64_t kLine = 64 / sizeof(float);
  const float* x = from.x + row * from.x_stride;
  const int64_t end = depth + n < from.channels ? depth + n : from.channels;
  for (int64_t i = depth; i < end; i += kLine) _mm_prefetch(reinterpret_cast<const char*>(x + i), _MM_HINT_T0);
}

template <typename Copy>
FRESCO_INLINE void copy_rows(const Call& call, const Block& block, int64_t depth, int64_t n,
                             typename Copy::Element* to) {
  const Rows& from = call.rows;
  const bool plain = from.side == 1 && from.stride == 1;
  for (int64_t r = 0; r < block.rows; ++r, to += kDistance<Copy>) {
    if (plain) {
      fetch_row(from, block.row + (r + kRowsAhead < block.rows ? r + kRowsAhead : r), depth, n);
      put_tap<Copy>(from, block.row + r, depth, n, to);
    } else {
      put_row<Copy>(from, pixel_of(from, block.row + r), depth, n, to);
    }
    for (int64_t i = n; i % 4 != 0; ++i) to[i] = 0;
  }
}

FRESCO_INLINE void finish_panel(const Call& call, const Block& block, int64_t panel, const float* sums,
                                int64_t stride) {
  const bool whole = (panel + 1) * kPanel <= call.weights.outputs && call.epilogue.shift == nullptr;
  if (whole && !call.epilogue.geglu) return finish_whole(call, block.row, block.rows, panel, sums, stride);
  for (int64_t r = 0; r < block.rows; ++r) {
    if (call.epilogue.geglu) {
      finish_geglu(call, block.row + r, panel, sums + r * stride);
    } else {
      finish_row(call, block.row + r, panel, sums + r * stride);
    }
  }
}

struct Room {
  std::byte* rows;  // kMaxRows * kDistanceBytes
  float* panel;     // kRowBytes / 4 * kPanel
  float* sums;      // kMaxRows * kMaxColumns
};

FRESCO_INLINE Room room_in(std::byte* scratch) {
  std::byte* panel = scratch + kMaxRows * kDistanceBytes;
  std::byte* sums = panel + kRowBytes * kPanel;
  return {scratch, reinterpret_cast<float*>(panel), reinterpret_cast<float*>(sums)};
}
static_assert(kMaxRows * kDistanceBytes + kRowBytes * 32 + kMaxRows * kMaxColumns * 4 <= kScratchBytes);

// PanelOf(panel, depth, n, room) gives a panel's elements from a depth on.
template <typename Kind, typename Copy, typename PanelOf>
FRESCO_INLINE void multiply_block(const Call& call, const Block& block, std::byte* scratch, const PanelOf& panel_of) {
  const Room room = room_in(scratch);
  auto* rows = reinterpret_cast<typename Copy::Element*>(room.rows);
  const int64_t stride = block.panels * kPanel, depth = call.weights.depth;
  const int64_t cut = cut_of(depth, call.weights.storage);
  for (int64_t k = 0; k < depth; k += cut) {
    const int64_t n = depth - k < cut ? depth - k : cut;
    copy_rows<Copy>(call, block, k, n, rows);
    for (int64_t p = 0; p < block.panels; ++p) {
      const Tile tile{room.sums + p * kPanel, stride, k > 0};
      multiply_panel<Kind, kDistance<Copy>>(block.rows, n, rows, panel_of(block.panel + p, k, n, room.panel), tile,
                                            after(call.weights, block, p, k, n));
      if (k + n == depth) finish_panel(call, block, block.panel + p, tile.c, stride);
    }
  }
}

[[maybe_unused]] void multiply_float(const Call& call, const Block& block, std::byte* scratch) {
  multiply_block<Float32, CopyFloats>(call, block, scratch, [&](int64_t panel, int64_t depth, int64_t n, float* room) {
    return float_panel(call.weights, panel, depth, n, room);
  });
}

}  // namespace
}  // namespace fresco::ops::gemm
