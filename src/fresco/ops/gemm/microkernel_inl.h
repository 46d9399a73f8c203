#pragma once
// The innermost loops: a few rows of the left matrix times one panel of two vectors of columns, sums in registers. After vec_*.h.

namespace fresco::ops::gemm {
namespace {

using simd::Vec;
constexpr int64_t kPanel = 2 * simd::kLanes;
// Sums take kMost * 2 registers, the panel's two vectors and one broadcast value the rest: 6 rows of 16, 14 of 32 registers.
constexpr int kMost = simd::kRegisters == 32 ? 14 : 6;

/// What the sums start from and where they go: c [rows, stride], added to when `accumulate`.
struct Tile {
  float* c;
  int64_t stride;
  bool accumulate;
  const float* row_scales =
      nullptr;  // 8-bit products only: value of one step of each row, of each column, and what the rows' zero adds
  const float* column_scales = nullptr;
  const int32_t* offsets = nullptr;

  FRESCO_INLINE Tile from(int64_t row) const {
    Tile tile = *this;
    tile.c += row * stride;
    if (row_scales != nullptr) tile.row_scales += row;
    return tile;
  }
};

/// What the next products read first: fetched while these run, a few bytes at each step of a tile. Caches fetch ahead by themselves only
/// within a page, and panels start in new ones.
struct Ahead {
  const void* data = nullptr;
  int64_t bytes = 0;
};

/// One tile's share of what is fetched ahead.
struct Fetch {
  const char* at;
  int64_t step;
  FRESCO_INLINE void next() {
    _mm_prefetch(at, _MM_HINT_T0);
    at += step;
  }
};

template <int Rows>
FRESCO_INLINE void start_sums(Vec (&sums)[Rows][2]) {
#pragma GCC unroll 16
  for (int m = 0; m < Rows; ++m) sums[m][0] = sums[m][1] = simd::zero();
}

// Adding at the end rather than starting from what is there leaves the loads time to arrive.
template <int Rows>
FRESCO_INLINE void store_sums(const Tile& tile, const Vec (&sums)[Rows][2]) {
  float* c = tile.c;
  const int64_t stride = tile.stride;
  if (tile.accumulate) {
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
      simd::store(c + m * stride, simd::add(simd::load(c + m * stride), sums[m][0]));
      simd::store(c + m * stride + simd::kLanes, simd::add(simd::load(c + m * stride + simd::kLanes), sums[m][1]));
    }
    return;
  }
#pragma GCC unroll 16
  for (int m = 0; m < Rows; ++m) {
    simd::store(c + m * stride, sums[m][0]);
    simd::store(c + m * stride + simd::kLanes, sums[m][1]);
  }
}

/// Products in float32. a: rows at a fixed distance, so that one register addresses all of them; b [depth][kPanel].
struct Float32 {
  using Element = float;
  static constexpr int64_t kGroup = 1;
  template <int Rows, int Distance>
  static void run(int64_t depth, const float* a, const float* b, const Tile& tile, Fetch fetch) {
    Vec sums[Rows][2];
    start_sums<Rows>(sums);
    for (int64_t k = 0; k < depth; ++k) {
      fetch.next();
      const Vec b0 = simd::load(b), b1 = simd::load(b + simd::kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < Rows; ++m) {
        const Vec x = simd::broadcast_from(a + m * Distance);
        sums[m][0] = simd::mul_add(x, b0, sums[m][0]);
        sums[m][1] = simd::mul_add(x, b1, sums[m][1]);
      }
      ++a;
      b += kPanel;
    }
    store_sums<Rows>(tile, sums);
  }
};

#if FRESCO_HAS_BF16
/// Products of bfloat16 pairs, sums in float32. depth counts elements, even; b [depth / 2][kPanel][2].
struct Bfloat16 {
  using Element = uint16_t;
  static constexpr int64_t kGroup = 2;
  template <int Rows, int Distance>
  static void run(int64_t depth, const uint16_t* a, const uint16_t* b, const Tile& tile, Fetch fetch) {
    Vec sums[Rows][2];
    start_sums<Rows>(sums);
    const auto* pairs = reinterpret_cast<const int32_t*>(a);
    for (int64_t k = 0; k < depth; k += 2) {
      fetch.next();
      const auto b0 = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b));
      const auto b1 = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + kPanel));
#pragma GCC unroll 16
      for (int m = 0; m < Rows; ++m) {
        const auto x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pairs[m * Distance / 2]));
        sums[m][0] = _mm512_dpbf16_ps(sums[m][0], x, b0);
        sums[m][1] = _mm512_dpbf16_ps(sums[m][1], x, b1);
      }
      ++pairs;
      b += 2 * kPanel;
    }
    store_sums<Rows>(tile, sums);
  }
};
#endif

#if FRESCO_HAS_BF16
/// Products of unsigned rows and signed weights of 8 bits, four at a time, exact in 32 bits. b [depth / 4][kPanel][4].
struct Int8 {
  using Element = uint8_t;
  static constexpr int64_t kGroup = 4;
  template <int Rows, int Distance>
  static void run(int64_t depth, const uint8_t* a, const uint8_t* b, const Tile& tile, Fetch fetch) {
    __m512i totals[Rows][2];
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) totals[m][0] = totals[m][1] = _mm512_setzero_si512();
    const auto* quads = reinterpret_cast<const int32_t*>(a);
    for (int64_t k = 0; k < depth; k += 4) {
      fetch.next();
      const __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 2 * kPanel);
#pragma GCC unroll 16
      for (int m = 0; m < Rows; ++m) {
        const __m512i x = _mm512_set1_epi32(quads[m * Distance / 4]);
        totals[m][0] = _mm512_dpbusd_epi32(totals[m][0], x, b0);
        totals[m][1] = _mm512_dpbusd_epi32(totals[m][1], x, b1);
      }
      ++quads;
      b += 4 * kPanel;
    }
    // Through memory: with the conversion in the same stretch of code, GCC 12 keeps some totals there during the loop instead.
    alignas(64) int32_t held[Rows][kPanel];
#pragma GCC unroll 16
    for (int m = 0; m < Rows; ++m) {
      _mm512_store_si512(held[m], totals[m][0]);
      _mm512_store_si512(held[m] + 16, totals[m][1]);
    }
    asm volatile("" : : "r"(held) : "memory");
    write<Rows>(&held[0][0], tile);
  }

  template <int Rows>
  static void write(const int32_t* totals, const Tile& tile) {
    for (int m = 0; m < Rows; ++m) {
      for (int64_t c = 0; c < kPanel; c += simd::kLanes) {
        const __m512i centred =
            _mm512_sub_epi32(_mm512_load_si512(totals + m * kPanel + c), _mm512_loadu_si512(tile.offsets + c));
        const Vec scale = simd::mul(simd::broadcast(tile.row_scales[m]), simd::load(tile.column_scales + c));
        const Vec sum = simd::mul(_mm512_cvtepi32_ps(centred), scale);
        float* to = tile.c + m * tile.stride + c;
        simd::store(to, tile.accumulate ? simd::add(simd::load(to), sum) : sum);
      }
    }
  }
};
#endif

template <typename Kind, int Distance>
using TileFunction = void (*)(int64_t, const typename Kind::Element*, const typename Kind::Element*, const Tile&,
                              Fetch);

/// Rows * panel, for any number of rows: spread evenly over as few tiles as hold them.
template <typename Kind, int Distance>
FRESCO_INLINE void multiply_panel(int64_t rows, int64_t depth, const typename Kind::Element* a,
                                  const typename Kind::Element* b, const Tile& tile, Ahead ahead) {
  static constexpr TileFunction<Kind, Distance> kTiles[] = {
    Kind::template run<1, Distance>,
    Kind::template run<2, Distance>,
    Kind::template run<3, Distance>,
    Kind::template run<4, Distance>,
    Kind::template run<5, Distance>,
    Kind::template run<6, Distance>,
#if FRESCO_WIDE_TILES
    Kind::template run<7, Distance>,
    Kind::template run<8, Distance>,
    Kind::template run<9, Distance>,
    Kind::template run<10, Distance>,
    Kind::template run<11, Distance>,
    Kind::template run<12, Distance>,
    Kind::template run<13, Distance>,
    Kind::template run<14, Distance>,
#endif
  };
  const int64_t tiles = (rows + kMost - 1) / kMost, steps = tiles * ((depth + Kind::kGroup - 1) / Kind::kGroup);
  if (ahead.data == nullptr) ahead.data = b;
  Fetch fetch{static_cast<const char*>(ahead.data), (ahead.bytes + steps - 1) / steps};
  for (int64_t i = 0, row = 0; i < tiles; ++i) {
    const int64_t count = (rows - row + (tiles - i) - 1) / (tiles - i);
    kTiles[count - 1](depth, a + row * Distance, b, tile.from(row), fetch);
    fetch.at += fetch.step * (steps / tiles);
    row += count;
  }
}

}  // namespace
}  // namespace fresco::ops::gemm
