#include "fresco/vae/vae_spec.h"

#include <fmt/format.h>

#include "fresco/core/error.h"

namespace fresco::vae {
namespace {

constexpr int64_t kWidest = 1 << 16;

int64_t count(const Json& config, const char* key, int64_t fallback, std::string_view place, int64_t largest) {
  const int64_t value = json_value<int64_t>(config, key, fallback, place);
  if (value < 1 || value > largest)
    throw FormatError(place, fmt::format("\"{}\": expected 1 to {}, got {}", key, largest, value));
  return value;
}

void check_block_types(const Json& config, const char* key, const std::string& known, std::string_view place) {
  for (const auto& type : json_value<std::vector<std::string>>(config, key, {}, place)) {
    if (type != known)
      throw FormatError(place, fmt::format("\"{}\": expected {}, got {}", key, known, printable(type, 60)));
  }
}

void check_channels(const VaeSpec& spec, std::string_view place) {
  if (spec.channels.empty() || spec.channels.size() > 8)
    throw FormatError(place,
                      fmt::format("\"block_out_channels\": expected 1 to 8 levels, got {}", spec.channels.size()));
  for (const int64_t channels : spec.channels) {
    if (channels < 1 || channels > kWidest || channels % spec.groups != 0)
      throw FormatError(place, fmt::format("\"block_out_channels\": expected multiples of {} groups up to {}, got {}",
                                           spec.groups, kWidest, channels));
  }
}

class TensorList {
 public:
  void conv(const std::string& name, int64_t in, int64_t out, int64_t side) {
    list.push_back({name + ".weight", {out, in, side, side}});
    list.push_back({name + ".bias", {out}});
  }
  void linear(const std::string& name, int64_t channels) {
    list.push_back({name + ".weight", {channels, channels}});
    list.push_back({name + ".bias", {channels}});
  }
  void norm(const std::string& name, int64_t channels) {
    list.push_back({name + ".weight", {channels}});
    list.push_back({name + ".bias", {channels}});
  }
  void resnet(const std::string& name, int64_t in, int64_t out) {
    norm(name + ".norm1", in);
    conv(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    conv(name + ".conv2", out, out, 3);
    if (in != out) conv(name + ".conv_shortcut", in, out, 1);
  }
  void middle(const std::string& name, int64_t channels, bool attention) {
    resnet(name + ".resnets.0", channels, channels);
    if (attention) {
      norm(name + ".attentions.0.group_norm", channels);
      for (const char* part : {"to_q", "to_k", "to_v", "to_out.0"}) linear(name + ".attentions.0." + part, channels);
    }
    resnet(name + ".resnets.1", channels, channels);
  }
  std::vector<VaeTensor> list;
};

}  // namespace

VaeSpec read_vae_spec(const Json& config, std::string_view place) {
  if (!config.is_object()) throw FormatError(place, "expected a JSON object");
  VaeSpec spec;
  spec.channels = json_value<std::vector<int64_t>>(config, "block_out_channels", {64}, place);
  spec.layers = count(config, "layers_per_block", 1, place, 64);
  spec.latent_channels = count(config, "latent_channels", 4, place, 64);
  spec.groups = count(config, "norm_num_groups", 32, place, kWidest);
  spec.scaling_factor = json_value<double>(config, "scaling_factor", 0.18215, place);
  spec.shift_factor = json_value<double>(config, "shift_factor", 0.0, place);
  spec.middle_attention = json_value<bool>(config, "mid_block_add_attention", true, place);
  spec.quant_conv = json_value<bool>(config, "use_quant_conv", true, place);
  spec.post_quant_conv = json_value<bool>(config, "use_post_quant_conv", true, place);
  check_block_types(config, "down_block_types", "DownEncoderBlock2D", place);
  check_block_types(config, "up_block_types", "UpDecoderBlock2D", place);
  check_channels(spec, place);
  if (!(spec.scaling_factor > 0))
    throw FormatError(place, fmt::format("\"scaling_factor\": expected a number above 0, got {}", spec.scaling_factor));
  for (const char* key : {"in_channels", "out_channels"}) {
    if (count(config, key, 3, place, kWidest) != 3) throw FormatError(place, fmt::format("\"{}\": expected 3", key));
  }
  return spec;
}

std::vector<VaeTensor> expected_tensors(const VaeSpec& spec) {
  TensorList t;
  const auto& ch = spec.channels;
  const auto levels = static_cast<int64_t>(ch.size());
  t.conv("encoder.conv_in", spec.picture_channels, ch[0], 3);
  for (int64_t i = 0, in = ch[0]; i < levels; in = ch[i++]) {
    const auto block = fmt::format("encoder.down_blocks.{}", i);
    for (int64_t j = 0; j < spec.layers; ++j)
      t.resnet(fmt::format("{}.resnets.{}", block, j), j == 0 ? in : ch[i], ch[i]);
    if (i + 1 < levels) t.conv(block + ".downsamplers.0.conv", ch[i], ch[i], 3);
  }
  t.middle("encoder.mid_block", ch.back(), spec.middle_attention);
  t.norm("encoder.conv_norm_out", ch.back());
  t.conv("encoder.conv_out", ch.back(), 2 * spec.latent_channels, 3);
  if (spec.quant_conv) t.conv("quant_conv", 2 * spec.latent_channels, 2 * spec.latent_channels, 1);
  if (spec.post_quant_conv) t.conv("post_quant_conv", spec.latent_channels, spec.latent_channels, 1);
  t.conv("decoder.conv_in", spec.latent_channels, ch.back(), 3);
  t.middle("decoder.mid_block", ch.back(), spec.middle_attention);
  for (int64_t i = 0, in = ch.back(); i < levels; in = ch[levels - 1 - i++]) {
    const auto block = fmt::format("decoder.up_blocks.{}", i);
    const int64_t out = ch[levels - 1 - i];
    for (int64_t j = 0; j < spec.layers + 1; ++j)
      t.resnet(fmt::format("{}.resnets.{}", block, j), j == 0 ? in : out, out);
    if (i + 1 < levels) t.conv(block + ".upsamplers.0.conv", out, out, 3);
  }
  t.norm("decoder.conv_norm_out", ch[0]);
  t.conv("decoder.conv_out", ch[0], spec.picture_channels, 3);
  return std::move(t.list);
}

}  // namespace fresco::vae
