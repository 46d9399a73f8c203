#include "fresco/layers/transformer_cell.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/layers/recompute.h"
#include "fresco/ops/attention/attention.h"
#include "fresco/ops/gradient/unread.h"
#include "fresco/ops/profile.h"

namespace fresco::layers {
namespace {

at::Tensor attend(const std::string& block, const char* part, const ops::AttentionCall& call) {
  const ops::ScopedLayer layer(block, part);
  return ops::attention(call);
}

}  // namespace

TransformerCell::TransformerCell(Builder& builder, const std::string& prefix, const TransformerShape& shape)
    : name_(prefix), shape_(shape) {
  const int64_t c = shape.channels;
  norm_ = builder.norm(prefix + ".norm", c);
  project_in_ = builder.linear(prefix + ".proj_in", c, c);
  for (int64_t i = 0; i < shape.depth; ++i) {
    const auto at = fmt::format("{}.transformer_blocks.{}", prefix, i);
    Block block;
    block.name = at;
    block.norm1 = builder.norm(at + ".norm1", c);
    block.norm2 = builder.norm(at + ".norm2", c);
    block.norm3 = builder.norm(at + ".norm3", c);
    block.self_qkv =
        builder.stacked({at + ".attn1.to_q", at + ".attn1.to_k", at + ".attn1.to_v"}, c, c, /*bias=*/false);
    block.self_out = builder.linear(at + ".attn1.to_out.0", c, c);
    block.cross_q = builder.linear(at + ".attn2.to_q", c, c, /*bias=*/false);
    {
      const ScopedOnce once;
      block.cross_k = builder.linear(at + ".attn2.to_k", shape.context, c, /*bias=*/false);
      block.cross_v = builder.linear(at + ".attn2.to_v", shape.context, c, /*bias=*/false);
    }
    block.cross_out = builder.linear(at + ".attn2.to_out.0", c, c);
    block.feed_in = builder.gated(at + ".ff.net.0.proj", c, 4 * c);
    block.feed_out = builder.linear(at + ".ff.net.2", 4 * c, c);
    blocks_.push_back(std::move(block));
  }
  project_out_ = builder.linear(prefix + ".proj_out", c, c);
}

std::vector<BoundText> TransformerCell::bind(const at::Tensor& context) const {
  const ops::Span span(ops::SpanKind::cell, name_);
  std::vector<BoundText> bound;
  for (const Block& block : blocks_) bound.push_back({linear(block.cross_k, context), linear(block.cross_v, context)});
  return bound;
}

at::Tensor TransformerCell::run(const Block& block, at::Tensor x, const BoundText& text) const {
  // `h` goes through every step, so that nothing is held longer than it is read.
  auto h = layer_norm(block.norm1, x);
  h = linear(block.self_qkv, h);
  h = attend_within(block, h);
  x = linear(block.self_out, h, x);
  h = layer_norm(block.norm2, x);
  h = linear(block.cross_q, h);
  h = attend(block.name, ".attn2", {h, text.keys, text.values, shape_.heads});
  x = linear(block.cross_out, h, x);
  h = layer_norm(block.norm3, x);
  h = linear(block.feed_in, h);
  return linear(block.feed_out, h, x);
}

at::Tensor TransformerCell::attend_within(const Block& block, const at::Tensor& qkv) const {
  const auto parts = qkv.chunk(3, -1);
  return attend(block.name, ".attn1", {parts[0], parts[1], parts[2], shape_.heads});
}

at::Tensor TransformerCell::forward(const at::Tensor& x, const std::vector<BoundText>& text) const {
  constexpr double kEps = 1e-6;  // diffusers' Transformer2DModel, unlike the resnets' 1e-5
  const ops::Span span(ops::SpanKind::cell, name_);
  const auto pixels = [](const at::Tensor& t) {
    return t.permute({0, 2, 3, 1}).flatten(1, 2);
  };  // [B, C, H, W] -> [B, H*W, C], no copy if channels-last
  auto h = pixels(group_norm(norm_, x, {}, {shape_.groups, kEps, /*silu=*/false}));
  h = linear(project_in_, h);
  for (size_t i = 0; i < blocks_.size(); ++i) h = run(blocks_[i], std::move(h), text[i]);
  const ops::ScopedUnread unread(computing_again());
  h = linear(project_out_, h, pixels(x));
  return h.unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2});
}

}  // namespace fresco::layers
