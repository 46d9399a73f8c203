// Products on tiles. Weights lie as AVX-512 BF16 has them: 16 groups of a panel, 128 bytes apart, are two tiles of 16 columns.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "fresco/ops/gemm/gemm.h"
// Each of these needs those before it.
// clang-format off
#include "fresco/ops/simd/begin_amx.h"
#include "fresco/ops/simd/vec_avx512.h"
#include "fresco/ops/simd/math_inl.h"
#include "fresco/ops/simd/tiles_amx.h"
#define FRESCO_WIDE_TILES 1
#define FRESCO_HAS_BF16 1
#include "fresco/ops/gemm/microkernel_inl.h"
#include "fresco/ops/gemm/rows_inl.h"
#include "fresco/ops/gemm/epilogue_inl.h"
#include "fresco/ops/gemm/gemm_inl.h"
#include "fresco/ops/gemm/int8_rows_inl.h"
// clang-format on

namespace fresco::ops::gemm {
namespace {

using simd::kTileBytes;
using simd::kTileRows;

constexpr int64_t kGroupBytes = kPanel * 4;  // neighbours along the depth of all columns of a panel, 4 bytes each
constexpr int64_t kStepBytes = kTileRows * kGroupBytes;
constexpr int64_t kRowsAtOnce = 2 * kTileRows;
static_assert(kPanel * 4 == 2 * kTileBytes && kRowBytes % kTileBytes == 0);
static_assert(kMaxRows % kTileRows == 0, "tiles are read and summed whole, over the last row of a block too");

/// A panel's part of one cut of the depth, in steps of a tile; groups that are missing in the last step are zeros.
class Steps {
 public:
  FRESCO_INLINE Steps(const std::byte* panel, int64_t groups)
      : panel_(panel), whole_(groups / kTileRows), count_((groups + kTileRows - 1) / kTileRows) {
    if (whole_ == count_) return;
    const auto bytes = static_cast<size_t>(groups % kTileRows * kGroupBytes);
    std::memcpy(rest_, panel + whole_ * kStepBytes, bytes);
    std::memset(rest_ + bytes, 0, sizeof(rest_) - bytes);
  }
  FRESCO_INLINE int64_t count() const { return count_; }
  FRESCO_INLINE const std::byte* operator[](int64_t i) const { return i < whole_ ? panel_ + i * kStepBytes : rest_; }

 private:
  const std::byte* panel_;
  int64_t whole_, count_;
  alignas(kTileBytes) std::byte rest_[kStepBytes];
};

// Sums of 16 rows in tiles 0 and 1, of the next 16, where there are any, in 2 and 3.
template <bool Two>
FRESCO_INLINE void zero_sums() {
  simd::zero_tile<0>();
  simd::zero_tile<1>();
  if constexpr (Two) simd::zero_tile<2>();
  if constexpr (Two) simd::zero_tile<3>();
}

template <bool Two>
FRESCO_INLINE void read_sums(const float* c, int64_t stride) {
  simd::load_tile<0>(c, stride * 4);
  simd::load_tile<1>(c + kTileRows, stride * 4);
  if constexpr (Two) simd::load_tile<2>(c + kTileRows * stride, stride * 4);
  if constexpr (Two) simd::load_tile<3>(c + kTileRows * stride + kTileRows, stride * 4);
}

template <bool Two, typename Number>  // of four bytes
FRESCO_INLINE void write_sums(Number* c, int64_t stride) {
  simd::store_tile<0>(c, stride * 4);
  simd::store_tile<1>(c + kTileRows, stride * 4);
  if constexpr (Two) simd::store_tile<2>(c + kTileRows * stride, stride * 4);
  if constexpr (Two) simd::store_tile<3>(c + kTileRows * stride + kTileRows, stride * 4);
}

template <typename Kind, bool Two>
FRESCO_INLINE void add_products(const std::byte* rows, const Steps& steps) {
  for (int64_t i = 0; i < steps.count(); ++i, rows += kTileBytes) {
    simd::load_tile<6>(steps[i], kGroupBytes);
    simd::load_tile<7>(steps[i] + kTileBytes, kGroupBytes);
    simd::load_tile<4>(rows, kDistanceBytes);
    Kind::template dot<0, 4, 6>();
    Kind::template dot<1, 4, 7>();
    if constexpr (Two) {
      simd::load_tile<5>(rows + kTileRows * kDistanceBytes, kDistanceBytes);
      Kind::template dot<2, 5, 6>();
      Kind::template dot<3, 5, 7>();
    }
  }
}

struct Bfloat16Tiles {
  template <int C, int A, int B>
  static FRESCO_INLINE void dot() {
    simd::dot_bf16<C, A, B>();
  }
  // Zeros up to a whole tile: whatever lay there could be no number, even times zero.
  static FRESCO_INLINE void prepare(const Call& call, const Block& block, int64_t k, int64_t n, const Room& room,
                                    float*) {
    auto* rows = reinterpret_cast<uint16_t*>(room.rows);
    copy_rows<ToBfloat16>(call, block, k, n, rows);
    constexpr int64_t kElements = kTileBytes / 2;
    const int64_t end = (n + kElements - 1) / kElements * kElements;
    for (int64_t r = 0; r < block.rows; ++r, rows += kDistance<ToBfloat16>) ToBfloat16::clear(rows + n, end - n);
  }
  template <bool Two>
  static FRESCO_INLINE void run(const std::byte* rows, const Steps& steps, const Tile& tile) {
    tile.accumulate ? read_sums<Two>(tile.c, tile.stride) : zero_sums<Two>();
    add_products<Bfloat16Tiles, Two>(rows, steps);
    write_sums<Two>(tile.c, tile.stride);
  }
};

struct Int8Tiles {
  template <int C, int A, int B>
  static FRESCO_INLINE void dot() {
    simd::dot_u8i8<C, A, B>();
  }
  static FRESCO_INLINE void prepare(const Call& call, const Block& block, int64_t k, int64_t n, const Room& room,
                                    float* scales) {
    quantize_rows(call, block, k, n, room.panel, reinterpret_cast<uint8_t*>(room.rows), scales);
  }
  template <bool Two>
  static FRESCO_INLINE void run(const std::byte* rows, const Steps& steps, const Tile& tile) {
    alignas(kTileBytes) int32_t totals[kRowsAtOnce * kPanel];
    zero_sums<Two>();
    add_products<Int8Tiles, Two>(rows, steps);
    write_sums<Two>(totals, kPanel);
    Int8::write<kTileRows>(totals, tile);
    if constexpr (Two) Int8::write<kTileRows>(totals + kTileRows * kPanel, tile.from(kTileRows));
  }
};

// Tile of a panel, with the steps of 8-bit integers where there are any.
FRESCO_INLINE Tile tile_of(const Packed& w, int64_t panel, int64_t cut, float* sums, int64_t stride,
                           const float* row_scales) {
  if (w.storage != Storage::i8) return {sums, stride, cut > 0};
  const int64_t column = panel * kPanel;
  return {sums, stride, cut > 0, row_scales, w.scales + column, w.offsets + cut * w.columns() + column};
}

template <typename Kind>
void multiply_tiles(const Call& call, const Block& block, std::byte* scratch) {
  simd::begin_tiles();
  const Room room = room_in(scratch);
  const Packed& w = call.weights;
  const int64_t stride = block.panels * kPanel, cut = cut_of(w.depth, w.storage), group = group_of(w.storage);
  alignas(kTileBytes) float scales[kMaxRows];
  for (int64_t k = 0; k < w.depth; k += cut) {
    const int64_t n = w.depth - k < cut ? w.depth - k : cut;
    Kind::prepare(call, block, k, n, room, scales);
    for (int64_t p = 0; p < block.panels; ++p) {
      const Steps steps(panel_data(w, block.panel + p, k), (n + group - 1) / group);
      const Tile tile = tile_of(w, block.panel + p, k / cut, room.sums + p * kPanel, stride, scales);
      for (int64_t r = 0; r < block.rows; r += kRowsAtOnce) {
        const std::byte* rows = room.rows + r * kDistanceBytes;
        block.rows - r > kTileRows ? Kind::template run<true>(rows, steps, tile.from(r))
                                   : Kind::template run<false>(rows, steps, tile.from(r));
      }
      if (k + n == w.depth) finish_panel(call, block, block.panel + p, tile.c, stride);
    }
  }
  simd::end_tiles();
}

}  // namespace
}  // namespace fresco::ops::gemm
#include "fresco/ops/simd/end.h"

namespace fresco::ops::gemm {
const Kernel kAmxBf16{kPanel, kRowsAtOnce, multiply_tiles<Bfloat16Tiles>};
const Kernel kAmxInt8{kPanel, kRowsAtOnce, multiply_tiles<Int8Tiles>};
}  // namespace fresco::ops::gemm
