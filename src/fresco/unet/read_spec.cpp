#include "fresco/unet/read_spec.h"

#include <fmt/format.h>

#include "fresco/core/error.h"

namespace fresco::unet {
namespace {

// Keys whose stated value changes the network in a way that fresco does not run: key, the values it does run.
void refuse_unless(const Json& config, const char* key, const std::vector<Json>& allowed, std::string_view place) {
  const auto found = config.find(key);
  if (found == config.end()) return;
  for (const Json& value : allowed) {
    if (*found == value) return;
  }
  throw FormatError(place, fmt::format("\"{}\": {} is not supported (fresco runs {})", key,
                                       printable(found->dump(-1, ' ', false, Json::error_handler_t::replace), 60),
                                       allowed.front().dump()));
}

void refuse_unsupported(const Json& config, std::string_view place) {
  const Json none;
  for (const char* key :
       {"class_embed_type", "addition_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "num_class_embeds",
        "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm", "reverse_transformer_layers_per_block"})
    refuse_unless(config, key, {none}, place);
  for (const char* key : {"dual_cross_attention", "only_cross_attention", "resnet_skip_time_act", "center_input_sample",
                          "class_embeddings_concat"})
    refuse_unless(config, key, {false, none}, place);
  refuse_unless(config, "resnet_time_scale_shift", {"default"}, place);
  refuse_unless(config, "time_embedding_type", {"positional"}, place);
  refuse_unless(config, "act_fn", {"silu", "swish"}, place);
  refuse_unless(config, "attention_type", {"default"}, place);
  refuse_unless(config, "downsample_padding", {1}, place);
  refuse_unless(config, "mid_block_scale_factor", {1, 1.0}, place);
  refuse_unless(config, "resnet_out_scale_factor", {1, 1.0}, place);
  refuse_unless(config, "conv_in_kernel", {3}, place);
  refuse_unless(config, "conv_out_kernel", {3}, place);
}

void refuse_other_tasks(const Json& config, std::string_view place) {
  const auto time_cond = config.find("time_cond_proj_dim");
  if (time_cond != config.end() && !time_cond->is_null())
    throw FormatError(place,
                      "\"time_cond_proj_dim\" is set: a latent consistency model with a guidance embedding, which "
                      "fresco does not run; "
                      "an ordinary model with LCM weights merged in works with --sampler lcm");
  const int64_t in = json_value<int64_t>(config, "in_channels", 4, place);
  if (in == 9)
    throw FormatError(
        place,
        "\"in_channels\" is 9: an inpainting U-Net (latents, mask and masked picture), which fresco does not run; "
        "inpainting works with ordinary 4-channel models and --mask");
  if (in != 4)
    throw FormatError(place,
                      fmt::format("\"in_channels\": expected 4, got {}: not a text-to-image U-Net of this family", in));
}

}  // namespace

int64_t read_count(const Json& object, const char* key, int64_t fallback, std::string_view place, int64_t smallest,
                   int64_t largest) {
  const int64_t value = json_value<int64_t>(object, key, fallback, place);
  if (value < smallest || value > largest)
    throw FormatError(place, fmt::format("\"{}\": expected {} to {}, got {}", key, smallest, largest, value));
  return value;
}

std::vector<int64_t> read_counts(const Json& object, const char* key, size_t size, std::string_view place,
                                 int64_t smallest) {
  const auto values = json_value<std::vector<int64_t>>(object, key, {}, place);
  if (values.size() != size)
    throw FormatError(place, fmt::format("\"{}\": expected a list of {} numbers, got {}", key, size, values.size()));
  constexpr int64_t kLargest = 1 << 16;
  for (const int64_t value : values) {
    if (value < smallest || value > kLargest)
      throw FormatError(place,
                        fmt::format("\"{}\": expected numbers from {} to {}, got {}", key, smallest, kLargest, value));
  }
  return values;
}

UNetSpec read_spec(const Json& config, std::string_view place, bool has_middle) {
  if (!config.is_object()) throw FormatError(place, "expected a JSON object");
  refuse_other_tasks(config, place);
  refuse_unsupported(config, place);
  UNetSpec spec = config.contains("configurations") ? read_flexible_spec(config, place, has_middle)
                                                    : read_stock_spec(config, place);
  check_spec(spec, place);
  return spec;
}

}  // namespace fresco::unet
