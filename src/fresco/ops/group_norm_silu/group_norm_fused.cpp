// Two passes over channels-last memory, each over all samples together: sums per channel, then normalisation and silu in one go. Skips
// are read where they lie. Work is cut by shape alone and sums are added in order, so results depend neither on threads nor on batches.
#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "fresco/ops/group_norm_silu/fold_blocks.h"
#include "fresco/ops/group_norm_silu/group_norm_kernel.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

// Rows summed in float32 before the sums go to double: the error of a sum stays under 2^-24 * 2^9.
constexpr int64_t kMostRows = 512;
// Of both inputs: a block and its results lie in a second-level cache.
constexpr int64_t kBlockBytes = 256 * 1024;

// One input as [B * rows, channels] memory.
struct Plane {
  at::Tensor tensor;
  const float* data;
  int64_t channels;
  int64_t first;  // its place among all channels
};

class Fused {
 public:
  Fused(const GroupNormCall& call, const GroupNormKernel& kernel)
      : call_(call), kernel_(kernel), batch_(call.x.size(0)), rows_(call.x.size(2) * call.x.size(3)) {
    add_plane(call.x);
    if (call.skip.defined()) add_plane(call.skip);
    const int64_t most = std::clamp<int64_t>(kBlockBytes / (channels_ * 4), 1, kMostRows);
    blocks_ = (rows_ + most - 1) / most;
    sums_ = empty({batch_ * blocks_, 2, channels_}, call.x.options());
    folded_ = empty({batch_, 3, channels_}, call.x.options());
  }

  /// Of each sample: mean, scale and inverse deviation of every channel [B, 3, C]. After run().
  const at::Tensor& folded() const { return folded_; }

  at::Tensor run() {
    auto y =
        empty({batch_, channels_, call_.x.size(2), call_.x.size(3)}, call_.x.options(), at::MemoryFormat::ChannelsLast);
    const int64_t count = batch_ * blocks_;
    fold_blocks(
        batch_, blocks_, 2 * channels_, [&](int64_t i) { sum(i); },
        [&](int64_t sample, double* scratch) { fold(sample, scratch); });
    // What was read last is still in a cache.
    parallel_for(count, 0, [&](int64_t i, std::byte*) { normalise(count - 1 - i, y.mutable_data_ptr<float>()); });
    return y;
  }

 private:
  void add_plane(const at::Tensor& x) {
    auto tensor = contiguous(x, at::MemoryFormat::ChannelsLast);
    const float* data = tensor.const_data_ptr<float>();
    planes_.push_back({std::move(tensor), data, x.size(1), channels_});
    channels_ += x.size(1);
  }
  // Of block i: the row among those of all samples that it starts at, and its rows.
  int64_t start(int64_t i) const { return i / blocks_ * rows_ + i % blocks_ * rows_ / blocks_; }
  int64_t rows(int64_t i) const { return start(i + 1) - start(i); }
  // Of block i [2, channels]: sums, and sums of squares, of values less those of the sample's first row.
  float* sums(int64_t i) { return sums_.mutable_data_ptr<float>() + i * 2 * channels_; }
  float* mean(int64_t b) { return folded_.mutable_data_ptr<float>() + b * 3 * channels_; }
  float* scale(int64_t b) { return mean(b) + channels_; }
  float* inverse_deviation(int64_t b) { return mean(b) + 2 * channels_; }

  void sum(int64_t i) {
    for (const Plane& plane : planes_) {
      const float* shift = plane.data + i / blocks_ * rows_ * plane.channels;
      float* out = sums(i) + plane.first;
      kernel_.channel_sums(plane.data + start(i) * plane.channels, rows(i), plane.channels, shift, out,
                           out + channels_);
    }
  }

  // Turns sums of all channels of a sample into the mean and scale of each.
  void fold(int64_t b, double* total) {
    std::fill(total, total + 2 * channels_, 0.0);
    for (int64_t k = 0; k < blocks_; ++k) {
      const float* part = sums(b * blocks_ + k);
      for (int64_t c = 0; c < 2 * channels_; ++c) total[c] += part[c];
    }
    double* const mean_of = total;                // of each channel
    double* const square_of = total + channels_;  // mean of x^2 about the channel's own mean
    for (const Plane& plane : planes_) {
      const float* shift = plane.data + b * rows_ * plane.channels;
      for (int64_t c = 0; c < plane.channels; ++c) {
        const double shifted = mean_of[plane.first + c] / static_cast<double>(rows_);
        double& square = square_of[plane.first + c];
        square = std::max(0.0, square / static_cast<double>(rows_) - shifted * shifted);
        mean_of[plane.first + c] = shift[c] + shifted;
      }
    }
    const int64_t width = channels_ / call_.groups;
    for (int64_t g = 0; g < call_.groups; ++g) fold_group(b, g * width, width, mean_of, square_of);
  }

  void fold_group(int64_t b, int64_t first, int64_t width, const double* mean_of, const double* square_of) {
    const double share = 1.0 / static_cast<double>(width);
    double middle = 0, variance = 0;
    for (int64_t c = first; c < first + width; ++c) middle += mean_of[c] * share;
    for (int64_t c = first; c < first + width; ++c) {
      const double apart = mean_of[c] - middle;
      variance += (square_of[c] + apart * apart) * share;
    }
    const double inverse = 1.0 / std::sqrt(variance + call_.eps);
    const float* weight = call_.weight.const_data_ptr<float>();
    for (int64_t c = first; c < first + width; ++c) {
      mean(b)[c] = static_cast<float>(middle);
      scale(b)[c] = static_cast<float>(inverse * weight[c]);
      inverse_deviation(b)[c] = static_cast<float>(inverse);
    }
  }

  void normalise(int64_t i, float* y) {
    const int64_t b = i / blocks_;
    const float* bias = call_.bias.const_data_ptr<float>();
    for (const Plane& plane : planes_) {
      const ChannelNorm norm{mean(b) + plane.first, scale(b) + plane.first, bias + plane.first};
      kernel_.normalise(plane.data + start(i) * plane.channels, rows(i), plane.channels,
                        y + start(i) * channels_ + plane.first, channels_, norm, call_.silu);
    }
  }

  const GroupNormCall& call_;
  const GroupNormKernel& kernel_;
  int64_t batch_, rows_, channels_ = 0, blocks_ = 0;
  std::vector<Plane> planes_;
  at::Tensor sums_, folded_;
};

}  // namespace

at::Tensor group_norm_silu_fused(const GroupNormCall& call, const GroupNormKernel& kernel, at::Tensor* folded) {
  Fused fused(call, kernel);
  auto y = fused.run();
  if (folded != nullptr) *folded = fused.folded();
  return y;
}

}  // namespace fresco::ops
