#pragma once
// Sums down channels-last memory and the normalisation of it. Lanes are channels: each channel's arithmetic is the same for every
// instruction set.

namespace fresco::ops {
namespace {

using simd::Vec;

// kVectors times kLanes channels, whose sums stay in registers.
template <int kVectors>
FRESCO_INLINE void sum_columns(const float* x, int64_t rows, int64_t stride, const float* shift, float* sum,
                               float* square) {
  Vec start[kVectors], total[kVectors], squares[kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) {
    start[i] = simd::load(shift + i * simd::kLanes);
    total[i] = squares[i] = simd::zero();
  }
  for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
      const Vec v = simd::sub(simd::load(x + r * stride + i * simd::kLanes), start[i]);
      total[i] = simd::add(total[i], v);
      squares[i] = simd::mul_add(v, v, squares[i]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) {
    simd::store(sum + i * simd::kLanes, total[i]);
    simd::store(square + i * simd::kLanes, squares[i]);
  }
}

// The last n < kLanes channels.
FRESCO_INLINE void sum_last_columns(const float* x, int64_t rows, int64_t stride, int64_t n, const float* shift,
                                    float* sum, float* square) {
  const Vec start = simd::load_first(shift, n);
  Vec total = simd::zero(), squares = simd::zero();
  for (int64_t r = 0; r < rows; ++r) {
    const Vec v = simd::sub(simd::load_first(x + r * stride, n), start);
    total = simd::add(total, v);
    squares = simd::mul_add(v, v, squares);
  }
  simd::store_first(sum, total, n);
  simd::store_first(square, squares, n);
}

// As many times kVectors vectors as there are from channel c on; returns the channel after them.
template <int kVectors>
FRESCO_INLINE int64_t sum_tiles(int64_t c, const float* x, int64_t rows, int64_t channels, const float* shift,
                                float* sum, float* square) {
  for (; c + kVectors * simd::kLanes <= channels; c += kVectors * simd::kLanes)
    sum_columns<kVectors>(x + c, rows, channels, shift + c, sum + c, square + c);
  return c;
}

void channel_sums(const float* x, int64_t rows, int64_t channels, const float* shift, float* sum, float* square) {
  constexpr int kWide = simd::kRegisters == 32 ? 8 : 4;
  int64_t c = sum_tiles<kWide>(0, x, rows, channels, shift, sum, square);
  c = sum_tiles<kWide / 2>(c, x, rows, channels, shift, sum, square);
  c = sum_tiles<1>(c, x, rows, channels, shift, sum, square);
  if (c < channels) sum_last_columns(x + c, rows, channels, channels - c, shift + c, sum + c, square + c);
}

template <bool kSilu>
FRESCO_INLINE Vec normalised(Vec x, Vec mean, Vec scale, Vec bias) {
  const Vec v = simd::mul_add(simd::sub(x, mean), scale, bias);
  return kSilu ? simd::silu(v) : v;
}

constexpr int64_t kAhead = 256;  // floats that are asked for before they are read

template <bool kSilu>
FRESCO_INLINE void normalise_row(const float* x, int64_t channels, float* y, const ChannelNorm& norm) {
  int64_t c = 0;
  for (; c + simd::kLanes <= channels; c += simd::kLanes) {
    __builtin_prefetch(x + c + kAhead);
    const Vec v = normalised<kSilu>(simd::load(x + c), simd::load(norm.mean + c), simd::load(norm.scale + c),
                                    simd::load(norm.bias + c));
    simd::store(y + c, v);
  }
  if (c == channels) return;
  const int64_t n = channels - c;
  const Vec v = normalised<kSilu>(simd::load_first(x + c, n), simd::load_first(norm.mean + c, n),
                                  simd::load_first(norm.scale + c, n), simd::load_first(norm.bias + c, n));
  simd::store_first(y + c, v, n);
}

void normalise(const float* x, int64_t rows, int64_t channels, float* y, int64_t y_stride, const ChannelNorm& norm,
               bool silu) {
  const ChannelNorm here = norm;  // y cannot reach into it
  for (int64_t r = 0; r < rows; ++r) {
    if (silu) {
      normalise_row<true>(x + r * channels, channels, y + r * y_stride, here);
    } else {
      normalise_row<false>(x + r * channels, channels, y + r * y_stride, here);
    }
  }
}

}  // namespace
}  // namespace fresco::ops
