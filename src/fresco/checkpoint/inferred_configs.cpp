#include "fresco/checkpoint/inferred_configs.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

constexpr int64_t kMostLevels = 16;

const Shape& shape_of(const TensorSource& source, const std::string& name, size_t rank) {
  const TensorInfo* info = source.find(name);
  if (info == nullptr) throw FormatError(source.place(), fmt::format("tensor \"{}\" is missing", name));
  if (info->shape.size() != rank)
    throw FormatError(source.place(name), fmt::format("tensor \"{}\": expected {} dimensions, got shape {}", name, rank,
                                                      to_string(info->shape)));
  return info->shape;
}

bool has(const TensorSource& source, const std::string& name) { return source.find(name) != nullptr; }

/// How many of pattern(0), pattern(1), ... are there.
template <typename Pattern>
int64_t count(const TensorSource& source, Pattern pattern, int64_t most = kMostLevels) {
  int64_t n = 0;
  while (n < most && has(source, pattern(n))) ++n;
  return n;
}

/// Output channels of the first resnet of each level.
template <typename Pattern>
std::vector<int64_t> level_channels(const TensorSource& source, Pattern first_conv) {
  std::vector<int64_t> channels;
  for (int64_t i = 0, levels = count(source, first_conv); i < levels; ++i)
    channels.push_back(shape_of(source, first_conv(i), 4)[0]);
  if (channels.empty()) shape_of(source, first_conv(0), 4);  // says which tensor is missing
  return channels;
}

std::vector<std::string> block_types(const TensorSource& unet, std::string_view list, size_t levels,
                                     std::string_view with, std::string_view without) {
  std::vector<std::string> types;
  for (size_t i = 0; i < levels; ++i)
    types.emplace_back(has(unet, fmt::format("{}.{}.attentions.0.proj_in.weight", list, i)) ? with : without);
  return types;
}

/// Prefix of some transformer of the U-Net: the middle block's, else the first level's that has one.
std::string some_transformer(const TensorSource& unet, size_t levels) {
  for (size_t i = 0; i < levels; ++i) {
    std::string prefix = fmt::format("down_blocks.{}.attentions.0.", i);
    if (has(unet, prefix + "proj_in.weight")) return prefix;
  }
  return "mid_block.attentions.0.";
}

}  // namespace

Json infer_unet_config(const TensorSource& unet) {
  const auto channels =
      level_channels(unet, [](int64_t i) { return fmt::format("down_blocks.{}.resnets.0.conv1.weight", i); });
  const std::string transformer = some_transformer(unet, channels.size());
  const TensorInfo* proj_in = unet.find(transformer + "proj_in.weight");
  const TensorInfo* cond_proj = unet.find("time_embedding.cond_proj.weight");
  const bool middle = has(unet, "mid_block.resnets.0.conv1.weight");
  return {
      {"_class_name", "UNet2DConditionModel"},
      {"act_fn", "silu"},
      {"attention_head_dim", 8},  // diffusers' word for the number of heads
      {"block_out_channels", channels},
      {"center_input_sample", false},
      {"cross_attention_dim", shape_of(unet, transformer + "transformer_blocks.0.attn2.to_k.weight", 2)[1]},
      {"down_block_types", block_types(unet, "down_blocks", channels.size(), "CrossAttnDownBlock2D", "DownBlock2D")},
      {"downsample_padding", 1},
      {"flip_sin_to_cos", true},
      {"freq_shift", 0},
      {"in_channels", shape_of(unet, "conv_in.weight", 4)[1]},
      {"layers_per_block",
       count(unet, [](int64_t j) { return fmt::format("down_blocks.0.resnets.{}.conv1.weight", j); })},
      {"mid_block_scale_factor", 1},
      {"mid_block_type", middle ? Json("UNetMidBlock2DCrossAttn") : Json()},
      {"norm_eps", 1e-5},
      {"norm_num_groups", 32},
      {"out_channels", shape_of(unet, "conv_out.weight", 4)[0]},
      {"sample_size", 64},
      {"time_cond_proj_dim", cond_proj != nullptr && cond_proj->shape.size() == 2 ? Json(cond_proj->shape[1]) : Json()},
      {"transformer_layers_per_block",
       count(unet, [&](int64_t k) { return fmt::format("{}transformer_blocks.{}.norm1.weight", transformer, k); })},
      {"up_block_types", block_types(unet, "up_blocks", channels.size(), "CrossAttnUpBlock2D", "UpBlock2D")},
      {"use_linear_projection", proj_in != nullptr && proj_in->shape.size() == 2},
  };
}

Json infer_vae_config(const TensorSource& vae) {
  // Levels of the decoder count from the latents' side, and a VAE without its encoder still decodes.
  auto channels =
      level_channels(vae, [](int64_t i) { return fmt::format("decoder.up_blocks.{}.resnets.0.conv2.weight", i); });
  std::reverse(channels.begin(), channels.end());
  const auto layers =
      count(vae, [](int64_t j) { return fmt::format("decoder.up_blocks.0.resnets.{}.conv1.weight", j); }) - 1;
  const Shape& in = shape_of(vae, "decoder.conv_in.weight", 4);
  const Shape& out = shape_of(vae, "decoder.conv_out.weight", 4);
  return {
      {"_class_name", "AutoencoderKL"},
      {"act_fn", "silu"},
      {"block_out_channels", channels},
      {"down_block_types", std::vector<std::string>(channels.size(), "DownEncoderBlock2D")},
      {"force_upcast", true},
      {"in_channels", has(vae, "encoder.conv_in.weight") ? shape_of(vae, "encoder.conv_in.weight", 4)[1] : out[0]},
      {"latent_channels", in[1]},
      {"latents_mean", nullptr},
      {"latents_std", nullptr},
      {"layers_per_block", layers},
      {"mid_block_add_attention", has(vae, "decoder.mid_block.attentions.0.to_q.weight")},
      {"norm_num_groups", 32},
      {"out_channels", out[0]},
      {"sample_size", 512},
      {"scaling_factor", 0.18215},
      {"shift_factor", nullptr},
      {"up_block_types", std::vector<std::string>(channels.size(), "UpDecoderBlock2D")},
      {"use_post_quant_conv", has(vae, "post_quant_conv.weight")},
      {"use_quant_conv", has(vae, "quant_conv.weight")},
  };
}

Json infer_text_config(const TensorSource& text) {
  const Shape& tokens = shape_of(text, "text_model.embeddings.token_embedding.weight", 2);
  const Shape& positions = shape_of(text, "text_model.embeddings.position_embedding.weight", 2);
  const int64_t hidden = tokens[1];
  const auto layers = count(
      text, [](int64_t i) { return fmt::format("text_model.encoder.layers.{}.layer_norm1.weight", i); }, 256);
  return {
      {"bos_token_id", 0},
      {"eos_token_id", 2},
      {"hidden_act", "quick_gelu"},
      {"hidden_size", hidden},
      {"intermediate_size", shape_of(text, "text_model.encoder.layers.0.mlp.fc1.weight", 2)[0]},
      {"layer_norm_eps", 1e-5},
      {"max_position_embeddings", positions[0]},
      {"model_type", "clip_text_model"},
      {"num_attention_heads", hidden >= 256 ? hidden / 64 : 4},  // CLIP's heads are 64 wide
      {"num_hidden_layers", layers},
      {"pad_token_id", 1},
      {"projection_dim", hidden},
      {"vocab_size", tokens[0]},
  };
}

Json published_scheduler() {
  return {
      {"_class_name", "PNDMScheduler"},
      {"num_train_timesteps", 1000},
      {"beta_start", 0.00085},
      {"beta_end", 0.012},
      {"beta_schedule", "scaled_linear"},
      {"skip_prk_steps", true},
      {"set_alpha_to_one", false},
      {"steps_offset", 1},
      {"clip_sample", false},
  };
}

}  // namespace fresco::checkpoint
