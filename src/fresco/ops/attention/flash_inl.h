#pragma once
// Some queries of one head against all keys, a block of keys at a time: scores in the first cache, sums in the second. The cuts depend on
// the shape of a head alone, so a query's result does not depend on its neighbours, on threads or on batches.

#include "fresco/ops/attention/flash_pack_inl.h"

namespace fresco::ops::flash {
namespace {

// Keys of a block at most: with two vectors of queries their scores take 9 or 18 KiB.
constexpr int64_t kKeys = 140 / kMost * kMost;
static_assert(kKeys % 2 == 0);
constexpr float kNoScore = -1e30f;  // weighs nothing, and unlike an infinity can be subtracted from itself

// Keys are spread over blocks that are nearly alike.
FRESCO_INLINE int64_t block_keys(int64_t keys) {
  const int64_t blocks = (keys + kKeys - 1) / kKeys;
  return round_up((keys + blocks - 1) / blocks, kMost);
}

/// Scratch memory of some panels of queries.
template <typename Kind>
struct Room {
  using Element = typename Kind::Element;
  Room(const Call& call, int64_t panels, std::byte* at) {
    const std::byte* begin = at;
    sums = take<float>(at, panels * call.width * kPanel);
    largest = take<float>(at, panels * kPanel);
    total = take<float>(at, panels * kPanel);
    factor = take<float>(at, kPanel);
    scores = take<float>(at, kKeys * kPanel);
    weights = Kind::kGroup > 1 ? take<Element>(at, kKeys * kPanel) : reinterpret_cast<Element*>(scores);
    queries = take<Element>(at, panels * round_up(call.width, Kind::kGroup) * kPanel);
    bytes = static_cast<size_t>(at - begin);
  }
  template <typename T>
  static T* take(std::byte*& at, int64_t n) {
    T* taken = reinterpret_cast<T*>(at);
    at += round_up(n * static_cast<int64_t>(sizeof(T)), 64);
    return taken;
  }
  float* sums;       // [panels][D][kPanel]: values times weights so far
  float* largest;    // [panels][kPanel]: score so far
  float* total;      // [panels][kPanel]: of the weights so far
  float* factor;     // [kPanel]: what earlier weights shrink by
  float* scores;     // [kKeys][kPanel]
  Element* weights;  // [kKeys / group][kPanel][group]; in place of the scores where they are as wide
  Element* queries;  // [panels][depth / group][kPanel][group], scaled
  size_t bytes;
};

template <typename Kind>
size_t scratch_bytes(const Call& call, int64_t panels) {
  return Room<Kind>(call, panels, nullptr).bytes;
}

/// What the steps below share.
template <typename Kind>
struct Work {
  using Element = typename Kind::Element;
  const Call& call;
  const Head& head;
  const Panels& panels;
  const Element* packed;
  const Layout<Kind> layout;
  const Room<Kind> room;
  int64_t query(int64_t panel) const { return (panels.first + panel) * kPanel; }  // first of a panel
};

FRESCO_INLINE void fill(float* p, int64_t n, float value) {
  for (int64_t i = 0; i < n; i += kLanes) simd::store(p + i, simd::broadcast(value));
}

template <typename Kind>
FRESCO_INLINE void begin_panel(const Work<Kind>& work, int64_t panel) {
  const Call& call = work.call;
  // Scores are powers of two: 1 / ln 2.
  const float scale = 1.44269504088896341f / __builtin_sqrtf(static_cast<float>(call.width));
  auto* to = work.room.queries + panel * work.layout.depth * kPanel;
  for (int64_t half = 0; half < kPanel; half += kLanes) {
    const int64_t query = work.query(panel) + half, left = call.queries - query;
    const int64_t rows = left < 0 ? 0 : left < kLanes ? left : kLanes;
    put_columns<Kind>(row_of(call, call.q, work.head, query), call.q.row_stride, rows, call.width, scale, kPanel,
                      to + half * Kind::kGroup);
  }
  fill(work.room.sums + panel * call.width * kPanel, call.width * kPanel, 0);
  fill(work.room.largest + panel * kPanel, kPanel, kNoScore);
  fill(work.room.total + panel * kPanel, kPanel, 0);
}

// Takes away the scores of keys that come after a query: n keys from `key` on, queries from `query` on.
FRESCO_INLINE void mask(int64_t key, int64_t n, int64_t query, float* scores, const float* before, float* largest) {
  for (int64_t q = 0; q < kPanel; ++q) {
    largest[q] = before[q];
    for (int64_t s = 0; s < n; ++s) {
      float& score = scores[s * kPanel + q];
      if (key + s > query + q) score = kNoScore;
      if (score > largest[q]) largest[q] = score;
    }
  }
}

// Scores become weights.
template <typename Kind>
FRESCO_INLINE void weigh(const Room<Kind>& room, int64_t n, const float* before, const float* largest, float* total) {
  for (int64_t half = 0; half < kPanel; half += kLanes) {
    const Vec most = simd::load(largest + half);
    const Vec factor = power_of_two<5>(simd::sub(simd::load(before + half), most));
    simd::store(room.factor + half, factor);
    const Vec sum = Kind::weigh(n, room.scores + half, most, room.weights + half * Kind::kGroup);
    simd::store(total + half, simd::mul_add(simd::load(total + half), factor, sum));
  }
}

// Keys [key, key + n) for one panel of queries.
template <typename Kind>
FRESCO_INLINE void attend_keys(const Work<Kind>& work, int64_t panel, int64_t key, int64_t n) {
  const Layout<Kind>& layout = work.layout;
  const Room<Kind>& room = work.room;
  float* largest = room.largest + panel * kPanel;
  alignas(64) float before[kPanel];
  for (int64_t i = 0; i < kPanel; i += kLanes) simd::store(before + i, simd::load(largest + i));
  const auto* queries = room.queries + panel * layout.depth * kPanel;
  for (int64_t s = 0; s < n; s += kMost) {
    const int64_t rows = n - s < kMost ? n - s : kMost;
    Tiles<Kind>::kScore[rows - 1](layout.depth / Kind::kGroup, work.packed + (key + s) / kMost * layout.key_panel,
                                  queries, room.scores + s * kPanel, largest);
  }
  if (work.call.causal && key + n - 1 > work.query(panel))
    mask(key, n, work.query(panel), room.scores, before, largest);
  weigh(room, n, before, largest, room.total + panel * kPanel);
  const auto* values = work.packed + layout.values + key * kLanes;
  float* sums = room.sums + panel * work.call.width * kPanel;
  for (int64_t tile = 0; tile < layout.tiles; ++tile) {
    const Columns columns = columns_of(work.call, layout, tile);
    Tiles<Kind>::kGather[columns.count - 1]((n + Kind::kGroup - 1) / Kind::kGroup, values + tile * layout.value_tile,
                                            room.weights, room.factor, sums + columns.first * kPanel);
  }
}

// Up to a vector of queries: sums [D][kPanel] over totals, turned back into rows.
FRESCO_INLINE void write_rows(const float* sums, const float* total, int64_t rows, int64_t width, int64_t stride,
                              float* out) {
  const Vec share = simd::div(simd::broadcast(1.0f), simd::load(total));
  Vec v[kLanes];
  for (int64_t d = 0; d < width; d += kLanes) {
    const int64_t n = width - d;
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i)
      v[i] = i < n ? simd::mul(simd::load(sums + (d + i) * kPanel), share) : simd::zero();
    simd::transpose(v);
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) {
      if (i >= rows) break;
      if (n >= kLanes) {
        simd::store(out + i * stride + d, v[i]);
      } else {
        simd::store_first(out + i * stride + d, v[i], n);
      }
    }
  }
}

template <typename Kind>
FRESCO_INLINE void end_panel(const Work<Kind>& work, int64_t panel) {
  const Call& call = work.call;
  const int64_t stride = call.heads * call.width;
  for (int64_t half = 0; half < kPanel; half += kLanes) {
    const int64_t query = work.query(panel) + half;
    if (query >= call.queries) return;
    write_rows(work.room.sums + panel * call.width * kPanel + half, work.room.total + panel * kPanel + half,
               call.queries - query, call.width, stride,
               call.out + (work.head.sample * call.queries + query) * stride + work.head.index * call.width);
  }
}

template <typename Kind>
void attend(const Call& call, const Head& head, const Panels& panels, const std::byte* packed, std::byte* scratch) {
  const Work<Kind> work{call,
                        head,
                        panels,
                        reinterpret_cast<const typename Kind::Element*>(packed),
                        Layout<Kind>(call),
                        Room<Kind>(call, panels.count, scratch)};
  for (int64_t panel = 0; panel < panels.count; ++panel) begin_panel(work, panel);
  const int64_t step = block_keys(call.keys);
  for (int64_t key = 0; key < call.keys; key += step) {
    for (int64_t panel = 0; panel < panels.count; ++panel) {
      const int64_t after = work.query(panel) + kPanel;  // what causal queries of this panel do not see
      const int64_t seen = call.causal && after < call.keys ? after : call.keys;
      const int64_t n = seen - key < step ? seen - key : step;
      if (n > 0) attend_keys(work, panel, key, n);
    }
  }
  for (int64_t panel = 0; panel < panels.count; ++panel) end_panel(work, panel);
}

template <typename Kind>
constexpr Kernel kernel_of() {
  return {kPanel, kMost, packed_bytes<Kind>, scratch_bytes<Kind>, pack<Kind>, attend<Kind>};
}

}  // namespace
}  // namespace fresco::ops::flash
