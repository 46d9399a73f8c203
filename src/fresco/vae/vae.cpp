#include "fresco/vae/vae.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/profile.h"

namespace fresco::vae {

using layers::linear;
namespace {

constexpr double kEps = 1e-6;

layers::ResnetCell resnet(layers::Builder& builder, const VaeSpec& spec, const std::string& name, int64_t in,
                          int64_t out) {
  return {builder, name, {.in = in, .out = out, .groups = spec.groups, .eps = kEps}};
}

std::unique_ptr<PixelAttention> make_attention(layers::Builder& builder, const VaeSpec& spec, const std::string& name) {
  if (!spec.middle_attention) return nullptr;
  const layers::ScopedOnce once;
  return std::make_unique<PixelAttention>(builder, name, spec.channels.back(), spec.groups);
}

std::unique_ptr<Middle> make_middle(layers::Builder& builder, const VaeSpec& spec, const std::string& name) {
  const int64_t c = spec.channels.back();
  auto attention = make_attention(builder, spec, name + ".attentions.0");
  return std::make_unique<Middle>(Middle{resnet(builder, spec, name + ".resnets.0", c, c),
                                         resnet(builder, spec, name + ".resnets.1", c, c), std::move(attention)});
}

at::Tensor norm_silu(const layers::Norm& norm, const at::Tensor& x, int64_t groups) {
  return layers::group_norm(norm, x, {}, {groups, kEps, /*silu=*/true});
}

}  // namespace

PixelAttention::PixelAttention(layers::Builder& builder, const std::string& prefix, int64_t channels, int64_t groups)
    : name_(prefix),
      groups_(groups),
      norm_(builder.norm(prefix + ".group_norm", channels)),
      qkv_(builder.stacked({prefix + ".to_q", prefix + ".to_k", prefix + ".to_v"}, channels, channels, /*bias=*/true)),
      out_(builder.linear(prefix + ".to_out.0", channels, channels)) {}

at::Tensor PixelAttention::forward(const at::Tensor& x) const {
  const ops::Span span(ops::SpanKind::cell, name_);
  const auto pixels = [](const at::Tensor& t) {
    return t.permute({0, 2, 3, 1}).flatten(1, 2);
  };  // [B, C, H, W] -> [B, H*W, C]
  const auto attend = [](const at::Tensor& qkv) {
    const auto parts = qkv.chunk(3, -1);
    return ops::attention({parts[0], parts[1], parts[2], /*heads=*/1});
  };
  auto h = pixels(layers::group_norm(norm_, x, {}, {groups_, kEps, /*silu=*/false}));
  h = linear(qkv_, h);
  h = attend(h);
  h = linear(out_, h, pixels(x));
  return h.unflatten(1, {x.size(2), x.size(3)}).permute({0, 3, 1, 2});
}

at::Tensor Middle::forward(at::Tensor x) const {
  x = first.forward(std::move(x), {}, {});
  if (attention) x = attention->forward(x);
  return second.forward(std::move(x), {}, {});
}

Encoder::Encoder(layers::Builder& builder, const VaeSpec& spec) : spec_(spec) {
  const auto& ch = spec.channels;
  conv_in_ = builder.conv("encoder.conv_in", spec.picture_channels, ch[0], 3, ops::kSame3x3);
  for (size_t i = 0; i < ch.size(); ++i) {
    const auto block = fmt::format("encoder.down_blocks.{}", i);
    Level level;
    for (int64_t j = 0; j < spec.layers; ++j) {
      const int64_t in = j > 0 ? ch[i] : ch[i == 0 ? 0 : i - 1];
      level.resnets.push_back(resnet(builder, spec, fmt::format("{}.resnets.{}", block, j), in, ch[i]));
    }
    if (i + 1 < ch.size())
      level.halve = builder.conv(block + ".downsamplers.0.conv", ch[i], ch[i], 3, ops::kHalveBottomRight);
    levels_.push_back(std::move(level));
  }
  middle_ = make_middle(builder, spec, "encoder.mid_block");
  norm_out_ = builder.norm("encoder.conv_norm_out", ch.back());
  const int64_t moments = 2 * spec.latent_channels;
  conv_out_ = builder.conv("encoder.conv_out", ch.back(), moments, 3, ops::kSame3x3);
  if (spec.quant_conv) quant_ = builder.conv("quant_conv", moments, moments, 1, ops::kPointwise);
}

at::Tensor Encoder::forward(const at::Tensor& picture) const {
  auto h = layers::conv2d(conv_in_, picture);
  for (const Level& level : levels_) {
    for (const auto& cell : level.resnets) h = cell.forward(std::move(h), {}, {});
    if (level.halve) h = layers::conv2d(level.halve, h);
  }
  h = middle_->forward(std::move(h));
  h = norm_silu(norm_out_, h, spec_.groups);
  h = layers::conv2d(conv_out_, h);
  return quant_ ? layers::conv2d(quant_, h) : h;
}

Decoder::Decoder(layers::Builder& builder, const VaeSpec& spec) : spec_(spec) {
  const std::vector<int64_t> ch(spec.channels.rbegin(), spec.channels.rend());  // coarsest first
  const int64_t latent = spec.latent_channels;
  if (spec.post_quant_conv) post_quant_ = builder.conv("post_quant_conv", latent, latent, 1, ops::kPointwise);
  conv_in_ = builder.conv("decoder.conv_in", latent, ch[0], 3, ops::kSame3x3);
  middle_ = make_middle(builder, spec, "decoder.mid_block");
  for (size_t i = 0; i < ch.size(); ++i) {
    const auto block = fmt::format("decoder.up_blocks.{}", i);
    Level level;
    for (int64_t j = 0; j < spec.layers + 1; ++j) {
      const int64_t in = j > 0 ? ch[i] : ch[i == 0 ? 0 : i - 1];
      level.resnets.push_back(resnet(builder, spec, fmt::format("{}.resnets.{}", block, j), in, ch[i]));
    }
    if (i + 1 < ch.size()) level.enlarge = builder.conv(block + ".upsamplers.0.conv", ch[i], ch[i], 3, ops::kSame3x3);
    levels_.push_back(std::move(level));
  }
  norm_out_ = builder.norm("decoder.conv_norm_out", ch.back());
  conv_out_ = builder.conv("decoder.conv_out", ch.back(), spec.picture_channels, 3, ops::kSame3x3);
}

at::Tensor Decoder::forward(const at::Tensor& latents) const {
  auto h = post_quant_ ? layers::conv2d(post_quant_, latents) : latents;
  h = middle_->forward(layers::conv2d(conv_in_, h));
  for (const Level& level : levels_) {
    for (const auto& cell : level.resnets) h = cell.forward(std::move(h), {}, {});
    if (level.enlarge) h = layers::conv2d_doubled(level.enlarge, h);
  }
  h = norm_silu(norm_out_, h, spec_.groups);
  return layers::conv2d(conv_out_, h);
}

Vae::Vae(const VaeSpec& spec, const layers::WeightSource& source, const layers::Preparation& preparation)
    : spec_(spec), preparation_(preparation) {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  layers::Builder builder(source, index_);
  encoder_ = std::make_unique<Encoder>(builder, spec_);
  decoder_ = std::make_unique<Decoder>(builder, spec_);
}

at::Tensor Vae::prepared(const at::Tensor& x) const {
  return ops::contiguous(ops::to_type(x.to(preparation_.device), preparation_.type), at::MemoryFormat::ChannelsLast);
}

at::Tensor Vae::encode(const at::Tensor& picture) const {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "vae encoder");
  return ops::to_type(encoder_->forward(prepared(picture)), preparation_.result_type());
}

at::Tensor Vae::decode(const at::Tensor& latents) const {
  const ops::ScopedForm form(preparation_.ops, preparation_.products);
  const ops::Span span(ops::SpanKind::network, "vae decoder");
  return ops::to_type(decoder_->forward(prepared(latents)), preparation_.result_type());
}

at::Tensor sample_posterior(const at::Tensor& moments, const at::Tensor& noise) {
  const auto parts = moments.chunk(2, 1);
  return parts[0] + at::exp(0.5 * parts[1].clamp(-30.0, 20.0)) * noise;
}

}  // namespace fresco::vae
