#include "fresco/layers/builder.h"

#include <ATen/ATen.h>

#include "fresco/layers/linear_watch.h"
#include "fresco/ops/cost.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"
#include "fresco/ops/layer_norm/layer_norm.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::layers {

ScopedOnce::ScopedOnce()
    : form_("auto", ops::current_products() == ops::Products::i8 ? ops::Products::f32 : ops::current_products()) {}

Conv Builder::conv(const std::string& name, int64_t in, int64_t out, int64_t side, const ops::ConvGeometry& geometry,
                   int64_t split) {
  const std::vector<int64_t> shape{out, in, side, side};
  const auto weight = std::vector{name + ".weight"};
  auto ready = source_.packed(weight, shape, ops::layout_for(shape, geometry, split));
  auto plain = ready ? ops::StoredTensor() : source_.stored(weight, shape);
  auto bias = source_.get(name + ".bias", {out});
  auto conv = ready ? std::make_shared<ops::ConvWeights>(std::move(ready), shape, std::move(bias), geometry, split)
                    : std::make_shared<ops::ConvWeights>(std::move(plain), std::move(bias), geometry, split);
  conv->name = name;
  index_.add(name + ".weight", shape, [conv](const at::Tensor& value) { conv->assign_weight(value); });
  index_.add(name + ".bias", {out}, [conv](const at::Tensor& value) { conv->assign_bias(value); });
  return conv;
}

Linear Builder::linear(const std::string& name, int64_t in, int64_t out, bool bias) {
  return stacked({name}, in, out, bias);
}

Linear Builder::gated(const std::string& name, int64_t in, int64_t out) {
  return matrices({name}, in, 2 * out, /*bias=*/true, /*gated=*/true);
}

Linear Builder::stacked(const std::vector<std::string>& names, int64_t in, int64_t out_each, bool bias) {
  return matrices(names, in, out_each, bias, /*gated=*/false);
}

Linear Builder::matrices(const std::vector<std::string>& names, int64_t in, int64_t out_each, bool bias, bool gated) {
  const auto with = [&](const char* suffix) {
    std::vector<std::string> full;
    for (const auto& name : names) full.push_back(name + suffix);
    return full;
  };
  const auto weights = with(".weight");
  const ops::ScopedForm form("auto", source_.products_of(names.front()));
  const std::vector<int64_t> whole{static_cast<int64_t>(names.size()) * out_each, in};
  auto ready = source_.packed(weights, {out_each, in}, gated ? ops::Layout::gated : ops::Layout::matrix);
  auto plain = ready ? ops::StoredTensor() : source_.stored(weights, {out_each, in});
  auto biases = bias ? source_.stack(with(".bias"), {out_each}, /*may_stay_half=*/false) : at::Tensor();
  auto linear = ready ? std::make_shared<ops::LinearWeights>(std::move(ready), whole, std::move(biases), gated)
                      : std::make_shared<ops::LinearWeights>(std::move(plain), std::move(biases), gated);
  linear->name = names.front();
  for (size_t i = 0; i < names.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i) * out_each;
    index_.add(names[i] + ".weight", {out_each, in},
               [linear, row](const at::Tensor& value) { linear->assign_weight(value, row); });
    if (bias)
      index_.add(names[i] + ".bias", {out_each},
                 [linear, row](const at::Tensor& value) { linear->assign_bias(value, row); });
  }
  return linear;
}

Norm Builder::norm(const std::string& name, int64_t channels) {
  auto norm = std::make_shared<NormWeights>(
      NormWeights{name, source_.get(name + ".weight", {channels}), source_.get(name + ".bias", {channels})});
  index_.add(name + ".weight", {channels}, [norm](const at::Tensor& value) { norm->weight = value; });
  index_.add(name + ".bias", {channels}, [norm](const at::Tensor& value) { norm->bias = value; });
  return norm;
}

std::shared_ptr<at::Tensor> Builder::tensor(const std::string& name, std::vector<int64_t> shape) {
  auto value = std::make_shared<at::Tensor>(source_.table(name, shape));
  index_.add(name, shape, [value](const at::Tensor& replacement) { *value = replacement; });
  return value;
}

at::Tensor conv2d(const Conv& conv, const at::Tensor& x, const at::Tensor& skip, const at::Tensor& shift,
                  const at::Tensor& residual) {
  const ops::ScopedLayer layer(conv->name);
  return ops::conv2d({x, skip, *conv, shift, residual});
}

at::Tensor conv2d_doubled(const Conv& conv, const at::Tensor& x) {
  const ops::ScopedLayer layer(conv->name);
  const at::Tensor none;
  return ops::conv2d({x, none, *conv, none, none, /*doubled=*/true});
}

at::Tensor linear(const Linear& linear, const at::Tensor& x, const at::Tensor& residual) {
  const ops::ScopedLayer layer(linear->name);
  if (auto* watch = LinearWatch::current()) watch->on_linear(*linear, x);
  return ops::linear({x, *linear, residual});
}

at::Tensor layer_norm(const Norm& norm, const at::Tensor& x, double eps) {
  const ops::ScopedLayer layer(norm->name);
  return ops::layer_norm({x, norm->weight, norm->bias, eps});
}

at::Tensor group_norm(const Norm& norm, const at::Tensor& x, const at::Tensor& skip, const GroupNormOptions& options) {
  const ops::ScopedLayer layer(norm->name);
  return ops::group_norm_silu({x, skip, norm->weight, norm->bias, options.groups, options.eps, options.silu});
}

at::Tensor repeated(const at::Tensor& x, int64_t k) {
  const ops::Span span("repeat", "torch", [&] { return ops::elementwise_cost(x, 0); });
  if (ops::needs_gradient(x)) return x.repeat({k, 1, 1, 1});
  auto y = ops::empty({k * x.size(0), x.size(1), x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
  for (int64_t i = 0; i < k; ++i) y.narrow(0, i * x.size(0), x.size(0)).copy_(x);
  return y;
}

at::Tensor enlarge(const at::Tensor& x, int64_t height, int64_t width) {
  const ops::Span span("enlarge", "torch", [&] {
    const double growth = static_cast<double>(height * width) / static_cast<double>(x.size(2) * x.size(3));
    return ops::Cost{.bytes = ops::bytes_of(x) * (1 + growth), .shape = ops::shape_text(x.sizes())};
  });
  if (ops::needs_gradient(x)) return at::upsample_nearest2d(x, {height, width});
  auto y = ops::empty({x.size(0), x.size(1), height, width}, x.options(), x.suggest_memory_format());
  return at::upsample_nearest2d_out(y, x, {height, width});
}

}  // namespace fresco::layers
