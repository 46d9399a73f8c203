// Two passes over channels-last memory: sums per channel, then normalisation and silu in one go. Skips are read where they lie.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "fresco/ops/group_norm_silu/group_norm_kernel.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"

namespace fresco::ops {
namespace {

// Rows summed in float32 before the sums go to double: the error of a sum stays under 2^-24 * 2^9.
constexpr int64_t kRowsPerBlock = 512;

// One input as [B * rows, channels] memory.
struct Plane {
  at::Tensor tensor;
  int64_t channels = 0;
  int64_t rows = 0;
  const float* sample(int64_t b) const { return tensor.const_data_ptr<float>() + b * rows * channels; }
};

Plane plane_of(const at::Tensor& x) {
  return {x.contiguous(at::MemoryFormat::ChannelsLast), x.size(1), x.size(2) * x.size(3)};
}

struct Sums {
  std::vector<double> sum, square;  // [channels], of values less the first row's
};

// Every task owns blocks of rows; blocks are added in order, so the result does not depend on the number of threads.
Sums sums_of(const Plane& plane, int64_t b) {
  const int64_t channels = plane.channels;
  const int64_t blocks = (plane.rows + kRowsPerBlock - 1) / kRowsPerBlock;
  std::vector<float> partial(static_cast<size_t>(blocks * 2 * channels));
  const float* x = plane.sample(b);
  at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t first = k * kRowsPerBlock;
      float* out = partial.data() + k * 2 * channels;
      channel_sums(x + first * channels, std::min(kRowsPerBlock, plane.rows - first), channels, channels, x, out,
                   out + channels);
    }
  });
  Sums total{std::vector<double>(channels), std::vector<double>(channels)};
  for (int64_t k = 0; k < blocks; ++k) {
    const float* part = partial.data() + k * 2 * channels;
    for (int64_t c = 0; c < channels; ++c) {
      total.sum[c] += part[c];
      total.square[c] += part[channels + c];
    }
  }
  return total;
}

// Turns sums of all channels of a sample into the mean and scale of each.
void fold(const GroupNormCall& call, const std::vector<Plane>& planes, int64_t b, float* group_means, float* scale) {
  std::vector<double> mean, square;  // per channel: mean of x, mean of x^2 about the channel's own mean
  for (const Plane& plane : planes) {
    const Sums sums = sums_of(plane, b);
    const auto rows = static_cast<double>(plane.rows);
    for (int64_t c = 0; c < plane.channels; ++c) {
      const double shifted = sums.sum[c] / rows;
      mean.push_back(plane.sample(b)[c] + shifted);
      square.push_back(std::max(0.0, sums.square[c] / rows - shifted * shifted));
    }
  }
  const auto channels = static_cast<int64_t>(mean.size());
  const int64_t width = channels / call.groups;
  const float* weight = call.weight.const_data_ptr<float>();
  for (int64_t g = 0; g < call.groups; ++g) {
    double group_mean = 0, variance = 0;
    for (int64_t c = g * width; c < (g + 1) * width; ++c) group_mean += mean[c] / static_cast<double>(width);
    for (int64_t c = g * width; c < (g + 1) * width; ++c) {
      const double apart = mean[c] - group_mean;
      variance += (square[c] + apart * apart) / static_cast<double>(width);
    }
    const double inverse = 1.0 / std::sqrt(variance + call.eps);
    for (int64_t c = g * width; c < (g + 1) * width; ++c) {
      scale[c] = static_cast<float>(inverse * weight[c]);
      group_means[c] = static_cast<float>(group_mean);
    }
  }
}

}  // namespace

at::Tensor group_norm_silu_simd(const GroupNormCall& call) {
  std::vector<Plane> planes{plane_of(call.x)};
  if (call.skip.defined()) planes.push_back(plane_of(call.skip));
  const int64_t batch = call.x.size(0), rows = planes[0].rows, channels = call.weight.size(0);
  auto y =
      at::empty({batch, channels, call.x.size(2), call.x.size(3)}, call.x.options(), at::MemoryFormat::ChannelsLast);
  std::vector<float> mean(channels), scale(channels);
  const float* bias = call.bias.const_data_ptr<float>();
  for (int64_t b = 0; b < batch; ++b) {
    fold(call, planes, b, mean.data(), scale.data());
    float* out = y.mutable_data_ptr<float>() + b * rows * channels;
    at::parallel_for(0, rows, 64, [&](int64_t begin, int64_t end) {
      int64_t first_channel = 0;
      for (const Plane& plane : planes) {
        const ChannelNorm norm{mean.data() + first_channel, scale.data() + first_channel, bias + first_channel};
        normalise_silu(plane.sample(b) + begin * plane.channels, plane.channels, out + begin * channels + first_channel,
                       channels, end - begin, plane.channels, norm, call.silu);
        first_channel += plane.channels;
      }
    });
  }
  return y;
}

}  // namespace fresco::ops
