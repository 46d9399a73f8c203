#include "fresco/ops/layer_norm/layer_norm.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/layer_norm/layer_norm_kernel.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

constexpr int64_t kBlockBytes = 128 * 1024;  // of x: a block and its results lie in a second-level cache

template <const LayerNormKernel& kernel>
at::Tensor fused(const LayerNormCall& call) {
  return layer_norm_fused(call, kernel);
}

template <Isa isa>
bool serves(const LayerNormCall& call) {
  return serves_plain<isa>(call.x, call.weight, call.bias) && call.x.numel() > 0;
}

constexpr std::array<Form<LayerNormCall, at::Tensor>, 4> kForms = {{
    {"trained", layer_norm_trained, trains},
    {"avx512", fused<kLayerNormAvx512>, serves<Isa::avx512>},
    {"avx2", fused<kLayerNormAvx2>, serves<Isa::avx2>},
    {"reference", layer_norm_reference, always<LayerNormCall>},
}};

}  // namespace

// Sum and squares 3, mean off and three factors and sums 4.
Cost cost(const LayerNormCall& call) { return elementwise_cost(call.x, 7); }

at::Tensor layer_norm(const LayerNormCall& call) { return dispatch("layer_norm", kForms, call); }

at::Tensor layer_norm_fused(const LayerNormCall& call, const LayerNormKernel& kernel) {
  const auto x = contiguous(call.x);
  const int64_t channels = x.size(-1);
  auto y = empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const float* weight = call.weight.const_data_ptr<float>();
  const float* bias = call.bias.const_data_ptr<float>();
  parallel_rows(x.numel() / channels, kBlockBytes / (4 * channels), [&](int64_t first, int64_t count) {
    kernel.normalise_rows(from + first * channels, count, channels, weight, bias, static_cast<float>(call.eps),
                          to + first * channels);
  });
  return y;
}

at::Tensor layer_norm_reference(const LayerNormCall& call) {
  return at::layer_norm(call.x, {call.x.size(-1)}, like(call.weight, call.x), like(call.bias, call.x), call.eps);
}

}  // namespace fresco::ops
