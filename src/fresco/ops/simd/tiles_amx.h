#pragma once
// Tiles: eight registers of 16 rows of 64 bytes, and products of whole tiles. Intel 64 and IA-32 Architectures Software Developer's
// Manual, volume 2, TDPBF16PS and its neighbours. In assembly, since GCC 12's functions for it do not say that they read and write
// memory. In sources that begin_amx.h opens.
#include <cstdint>

namespace fresco::ops::simd {
namespace {

constexpr int64_t kTileRows = 16, kTileBytes = 64;

// What LDTILECFG reads: all eight tiles at their full size.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileShapes) == 64);
constexpr TileShapes kTileShapes;

/// Before the first use of tiles, and after the last: until then the system saves them at each change of tasks.
FRESCO_INLINE void begin_tiles() { asm volatile("ldtilecfg %0" : : "m"(kTileShapes) : "memory"); }
FRESCO_INLINE void end_tiles() { asm volatile("tilerelease" : : : "memory"); }

template <int T>
FRESCO_INLINE void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(T) : "memory");
}

/// distance: bytes from row to row.
template <int T>
FRESCO_INLINE void load_tile(const void* from, int64_t distance) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(distance), "i"(T) : "memory");
}

template <int T>
FRESCO_INLINE void store_tile(void* to, int64_t distance) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(distance), "i"(T) : "memory");
}

/// C (16x16 float32) += A (16 rows of 32 bfloat16) * B (16 pairs deep, 16 columns): B's row k holds elements 2k and 2k + 1 of each column.
template <int C, int A, int B>
FRESCO_INLINE void dot_bf16() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B) : "memory");
}

/// C (16x16 int32) += A (16 rows of 64 unsigned bytes) * B (signed bytes): B's row k holds elements 4k to 4k + 3 of each column.
template <int C, int A, int B>
FRESCO_INLINE void dot_u8i8() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B) : "memory");
}

}  // namespace
}  // namespace fresco::ops::simd
