#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "fresco/ops/gradient/record.h"
#include "fresco/ops/layer_norm/layer_norm.h"
#include "fresco/ops/layer_norm/layer_norm_kernel.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {
namespace {

constexpr int64_t kMostRows = 512;  // summed in float32 before sums are added up
constexpr int64_t kBlockBytes = 128 * 1024;

enum Input : size_t { kX, kWeight, kBias, kInputs };

// saved: x, weight. All three gradients at once: they share what is computed again.
std::vector<at::Tensor> backward(const LayerNormKernel& kernel, float eps, const BackwardCall& call) {
  const auto x = contiguous(call.saved[0]), dy = contiguous(call.dy), weight = contiguous(call.saved[1]);
  const int64_t channels = x.size(-1), rows = x.numel() / channels;
  const int64_t most = std::clamp<int64_t>(kBlockBytes / (4 * channels), 1, kMostRows);
  const int64_t blocks = (rows + most - 1) / most;
  auto dx = empty(x.sizes(), x.options());
  auto sums = empty({blocks, 2, channels}, x.options());
  const float *from = x.const_data_ptr<float>(), *above = dy.const_data_ptr<float>();
  const float* scale = weight.const_data_ptr<float>();
  float *to = dx.mutable_data_ptr<float>(), *partial = sums.mutable_data_ptr<float>();
  parallel_for(blocks, 0, [&](int64_t i, std::byte*) {
    const int64_t first = i * most * channels, count = std::min(most, rows - i * most);
    float* sum = partial + i * 2 * channels;
    kernel.gradient_rows(from + first, above + first, count, channels, scale, eps, to + first, sum, sum + channels);
  });
  const auto total = sums.sum(0);
  return {dx, total[0], total[1]};
}

}  // namespace

bool trains(const LayerNormCall& call) {
  if (current_isa() == Isa::none || !call.weight.defined() || !call.bias.defined() || call.x.numel() == 0) return false;
  return trains_on(call.x) && trains_on(call.weight) && any_needs_gradient({call.x, call.weight, call.bias});
}

at::Tensor layer_norm_trained(const LayerNormCall& call) {
  const LayerNormKernel& kernel = current_isa() >= Isa::avx512 ? kLayerNormAvx512 : kLayerNormAvx2;
  at::Tensor y;
  {
    const c10::NoGradGuard guard;
    y = layer_norm_fused(call, kernel);
  }
  const auto eps = static_cast<float>(call.eps);
  return record("layer_norm", std::move(y), {call.x, call.weight, call.bias}, {call.x, call.weight},
                [&kernel, eps](const BackwardCall& b) { return backward(kernel, eps, b); });
}

}  // namespace fresco::ops
