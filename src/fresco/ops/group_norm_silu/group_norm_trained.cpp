// The normalisation that trains keeps its input and a few numbers for each channel; what comes between normalisation and silu is computed
// again. Two passes as forward: sums of each channel, then the gradient of the input. Work is cut by shape alone.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <vector>

#include "fresco/ops/gradient/record.h"
#include "fresco/ops/group_norm_silu/fold_blocks.h"
#include "fresco/ops/group_norm_silu/group_norm_kernel.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {
namespace {

constexpr int64_t kMostRows = 512;  // summed in float32 before sums go to double
constexpr int64_t kBlockBytes = 256 * 1024;
constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

enum Input : size_t { kX, kSkip, kWeight, kBias, kInputs };
enum Saved : size_t { kFolded = kInputs };

// What the gradient needs to know beside tensors.
struct Shape {
  const GroupNormKernel* kernel;
  int64_t groups;
  bool silu;
};

// One of the two inputs.
struct Plane {
  at::Tensor tensor;
  at::Tensor dx;  // undefined where nobody asks
  int64_t channels;
  int64_t first;  // its place among all channels
};

class Gradient {
 public:
  Gradient(const Shape& shape, const BackwardCall& call)
      : shape_(shape),
        call_(call),
        dy_(contiguous(call.dy, kChannelsLast)),
        batch_(dy_.size(0)),
        channels_(dy_.size(1)) {
    rows_ = dy_.size(2) * dy_.size(3);
    add_plane(kX);
    if (call.saved[kSkip].defined()) add_plane(kSkip);
    const int64_t most = std::clamp<int64_t>(kBlockBytes / (channels_ * 8), 1, kMostRows);
    blocks_ = (rows_ + most - 1) / most;
    sums_ = empty({batch_ * blocks_, 2, channels_}, dy_.options());
    terms_ = empty({batch_, 4, channels_}, dy_.options());
  }

  std::vector<at::Tensor> run() {
    const int64_t count = batch_ * blocks_;
    fold_blocks(
        batch_, blocks_, 2 * channels_, [&](int64_t i) { sum(i); },
        [&](int64_t sample, double* scratch) { fold(sample, scratch); });
    std::vector<at::Tensor> found(kInputs);
    if (call_.needed[kX] || call_.needed[kSkip]) {
      // What was read last is still in a cache.
      parallel_for(count, 0, [&](int64_t i, std::byte*) { input_gradient(count - 1 - i); });
      for (const Plane& plane : planes_) found[plane.first == 0 ? kX : kSkip] = plane.dx;
    }
    if (call_.needed[kWeight]) found[kWeight] = terms_.select(1, 2).sum(0);
    if (call_.needed[kBias]) found[kBias] = terms_.select(1, 3).sum(0);
    return found;
  }

 private:
  void add_plane(Input input) {
    const auto x = contiguous(call_.saved[input], kChannelsLast);
    const int64_t first = input == kX ? 0 : channels_ - x.size(1);
    planes_.push_back(
        {x, call_.needed[input] ? empty(x.sizes(), x.options(), kChannelsLast) : at::Tensor(), x.size(1), first});
  }
  int64_t start(int64_t i) const { return i / blocks_ * rows_ + i % blocks_ * rows_ / blocks_; }
  int64_t rows(int64_t i) const { return start(i + 1) - start(i); }
  float* sums(int64_t i) { return sums_.mutable_data_ptr<float>() + i * 2 * channels_; }
  // Of sample b, each [C]: what input_gradient takes, then its share of the gradients of weight and bias.
  float* constant(int64_t b) { return terms_.mutable_data_ptr<float>() + b * 4 * channels_; }
  float* slope(int64_t b) { return constant(b) + channels_; }
  const float* folded(int64_t b) const { return call_.saved[kFolded].const_data_ptr<float>() + b * 3 * channels_; }

  NormGradient rows_of(const Plane& plane, int64_t i) const {
    const float* mean = folded(i / blocks_) + plane.first;
    const float* bias = call_.saved[kBias].const_data_ptr<float>() + plane.first;
    return {plane.tensor.const_data_ptr<float>() + start(i) * plane.channels,
            plane.channels,
            dy_.const_data_ptr<float>() + start(i) * channels_ + plane.first,
            channels_,
            {mean, mean + channels_, bias}};
  }

  void sum(int64_t i) {
    for (const Plane& plane : planes_) {
      float* out = sums(i) + plane.first;
      shape_.kernel->gradient_sums(rows_of(plane, i), rows(i), plane.channels, shape_.silu, out, out + channels_);
    }
  }

  void fold(int64_t b, double* total) {
    std::fill(total, total + 2 * channels_, 0.0);
    for (int64_t k = 0; k < blocks_; ++k) {
      const float* part = sums(b * blocks_ + k);
      for (int64_t c = 0; c < 2 * channels_; ++c) total[c] += part[c];
    }
    const int64_t width = channels_ / shape_.groups;
    for (int64_t g = 0; g < shape_.groups; ++g) fold_group(b, g * width, width, total);
  }

  void fold_group(int64_t b, int64_t first, int64_t width, const double* total) {
    const double share = 1.0 / static_cast<double>(width * rows_), inverse = folded(b)[2 * channels_ + first];
    const float* weight = call_.saved[kWeight].const_data_ptr<float>();
    double plain = 0,
           product = 0;  // means over the group of what the normalised values' gradient is, and of it times them
    for (int64_t c = first; c < first + width; ++c) {
      plain += weight[c] * total[c] * share;
      product += weight[c] * total[channels_ + c] * inverse * share;
    }
    for (int64_t c = first; c < first + width; ++c) {
      constant(b)[c] = static_cast<float>(inverse * plain);
      slope(b)[c] = static_cast<float>(inverse * inverse * product);
      constant(b)[2 * channels_ + c] = static_cast<float>(total[channels_ + c] * inverse);
      constant(b)[3 * channels_ + c] = static_cast<float>(total[c]);
    }
  }

  void input_gradient(int64_t i) {
    const int64_t b = i / blocks_;
    for (const Plane& plane : planes_) {
      if (!plane.dx.defined()) continue;
      shape_.kernel->input_gradient(rows_of(plane, i), rows(i), plane.channels, shape_.silu, constant(b) + plane.first,
                                    slope(b) + plane.first,
                                    plane.dx.mutable_data_ptr<float>() + start(i) * plane.channels);
    }
  }

  const Shape& shape_;
  const BackwardCall& call_;
  at::Tensor dy_;
  int64_t batch_, channels_, rows_ = 0, blocks_ = 0;
  std::vector<Plane> planes_;
  at::Tensor sums_, terms_;
};

}  // namespace

bool trains(const GroupNormCall& call) {
  if (current_isa() == Isa::none || !call.weight.defined() || !call.bias.defined() || call.x.numel() == 0) return false;
  return trains_on(call.x) && trains_on(call.skip) && trains_on(call.weight) &&
         any_needs_gradient({call.x, call.skip, call.weight, call.bias});
}

at::Tensor group_norm_silu_trained(const GroupNormCall& call) {
  const Shape shape{current_isa() >= Isa::avx512 ? &kGroupNormAvx512 : &kGroupNormAvx2, call.groups, call.silu};
  at::Tensor y, folded;
  {
    const c10::NoGradGuard guard;
    y = group_norm_silu_fused(call, *shape.kernel, &folded);
  }
  const std::vector inputs{call.x, call.skip, call.weight, call.bias};
  return record("group_norm_silu", std::move(y), inputs, {call.x, call.skip, call.weight, call.bias, folded},
                [shape](const BackwardCall& b) { return Gradient(shape, b).run(); });
}

}  // namespace fresco::ops
