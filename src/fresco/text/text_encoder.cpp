#include "fresco/text/text_encoder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/ops/activation/activation.h"
#include "fresco/ops/attention/attention.h"
#include "fresco/ops/dispatch.h"

namespace fresco::text {

using layers::layer_norm;
using layers::linear;

TextEncoder::TextEncoder(const TextSpec& spec, const layers::WeightSource& source,
                         const layers::Preparation& preparation)
    : spec_(spec), preparation_(preparation) {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const layers::ScopedOnce once;
  layers::Builder builder(source, index_);
  const int64_t c = spec.width;
  tokens_ = builder.tensor("text_model.embeddings.token_embedding.weight", {spec.vocabulary, c});
  positions_ = builder.tensor("text_model.embeddings.position_embedding.weight", {spec.positions, c});
  for (int64_t i = 0; i < spec.layers; ++i) {
    Layer layer;
    layer.name = fmt::format("text_model.encoder.layers.{}", i);
    const auto at = layer.name + ".", self = at + "self_attn.";
    layer.norm1 = builder.norm(at + "layer_norm1", c);
    layer.qkv = builder.stacked({self + "q_proj", self + "k_proj", self + "v_proj"}, c, c, /*bias=*/true);
    layer.out = builder.linear(self + "out_proj", c, c);
    layer.norm2 = builder.norm(at + "layer_norm2", c);
    layer.feed_in = builder.linear(at + "mlp.fc1", c, spec.feed_forward);
    layer.feed_out = builder.linear(at + "mlp.fc2", spec.feed_forward, c);
    layers_.push_back(std::move(layer));
  }
  final_norm_ = builder.norm("text_model.final_layer_norm", c);
}

at::Tensor TextEncoder::gelu(const at::Tensor& x) const {
  return ops::activation({x, spec_.quick_gelu ? ops::Activation::quick_gelu : ops::Activation::gelu});
}

at::Tensor TextEncoder::run(const Layer& layer, const at::Tensor& x) const {
  const ops::Span span(ops::SpanKind::cell, layer.name);
  const auto qkv = linear(layer.qkv, layer_norm(layer.norm1, x, spec_.eps)).chunk(3, -1);
  const auto attended = linear(layer.out, ops::attention({qkv[0], qkv[1], qkv[2], spec_.heads, /*causal=*/true}), x);
  const auto hidden = linear(layer.feed_in, layer_norm(layer.norm2, attended, spec_.eps));
  const auto active = gelu(hidden);
  return linear(layer.feed_out, active, attended);
}

at::Tensor TextEncoder::forward(const at::Tensor& ids, int64_t clip_skip) const {
  const auto count = static_cast<int64_t>(layers_.size());
  if (clip_skip < 0 || clip_skip >= count)
    throw InputError("--clip-skip", expected_got(fmt::format("0 to {}", count - 1), fmt::format("{}", clip_skip)));
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "text encoder");
  const auto places = positions_->narrow(0, 0, ids.size(1)).to(preparation_.type);
  auto x = at::embedding(*tokens_, ids.to(preparation_.device)).to(preparation_.type) + places;  // [B, T, width]
  for (int64_t i = 0; i < count - clip_skip; ++i) x = run(layers_[i], x);
  return layer_norm(final_norm_, x, spec_.eps);
}

}  // namespace fresco::text
