#include "fresco/ops/group_norm_silu/group_norm_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fresco/ops/group_norm_silu/group_norm_kernel.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace fresco::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void channel_sums(const float* x, int64_t rows, int64_t channels, int64_t row_stride, const float* shift, float* sum,
                  float* square) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    const auto start = hn::LoadU(d, shift + c);
    auto total = hn::Zero(d);
    auto squares = hn::Zero(d);
    for (int64_t r = 0; r < rows; ++r) {
      const auto v = hn::Sub(hn::LoadU(d, x + r * row_stride + c), start);
      total = hn::Add(total, v);
      squares = hn::MulAdd(v, v, squares);
    }
    hn::StoreU(total, d, sum + c);
    hn::StoreU(squares, d, square + c);
  }
  for (; c < channels; ++c) {
    sum[c] = square[c] = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const float v = x[r * row_stride + c] - shift[c];
      sum[c] += v;
      square[c] += v * v;
    }
  }
}

void normalise_silu(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t channels,
                    const ChannelNorm& norm, bool silu) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, 1.0f);
  for (int64_t r = 0; r < rows; ++r) {
    const float* in = x + r * x_stride;
    float* out = y + r * y_stride;
    int64_t c = 0;
    for (; c + lanes <= channels; c += lanes) {
      const auto apart = hn::Sub(hn::LoadU(d, in + c), hn::LoadU(d, norm.mean + c));
      auto v = hn::MulAdd(apart, hn::LoadU(d, norm.scale + c), hn::LoadU(d, norm.bias + c));
      if (silu) v = hn::Div(v, hn::Add(one, hn::Exp(d, hn::Neg(v))));
      hn::StoreU(v, d, out + c);
    }
    for (; c < channels; ++c) {
      const float v = (in[c] - norm.mean[c]) * norm.scale[c] + norm.bias[c];
      out[c] = silu ? v / (1.0f + std::exp(-v)) : v;
    }
  }
}

}  // namespace fresco::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fresco::ops {

HWY_EXPORT(channel_sums);
HWY_EXPORT(normalise_silu);

void channel_sums(const float* x, int64_t rows, int64_t channels, int64_t row_stride, const float* shift, float* sum,
                  float* square) {
  HWY_DYNAMIC_DISPATCH(channel_sums)(x, rows, channels, row_stride, shift, sum, square);
}

void normalise_silu(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t channels,
                    const ChannelNorm& norm, bool silu) {
  HWY_DYNAMIC_DISPATCH(normalise_silu)(x, x_stride, y, y_stride, rows, channels, norm, silu);
}

}  // namespace fresco::ops
#endif
