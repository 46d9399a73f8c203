#include "fresco/checkpoint/key_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>

namespace fresco::checkpoint {
namespace {

constexpr std::string_view kUnetPrefix = "model.diffusion_model.";
constexpr std::string_view kVaePrefix = "first_stage_model.";
constexpr std::string_view kTextPrefix = "cond_stage_model.transformer.";
constexpr int kMostBlocks = 100;  // more in one list is no model of these kinds

// What training leaves in such files and drawing does not need.
constexpr std::array<std::string_view, 14> kStrays{
    "model_ema.",
    "betas",
    "alphas_cumprod",
    "sqrt_",
    "log_one_minus_",
    "posterior_",
    "logvar",
    "lvlb_weights",
    "cond_stage_model.logit_scale",
    "cond_stage_model.text_projection",
    "cond_stage_model.transformer.vision_model.",
    "first_stage_model.loss.",
    "loss.",
    "global_step",
};

struct Row {
  std::string_view original, diffusers;
};
using Rows = std::span<const Row>;

constexpr std::array<Row, 1> kSame{{{"", ""}}};

constexpr std::array<Row, 6> kUnetResnet{{
    {"in_layers.0.", "norm1."},
    {"in_layers.2.", "conv1."},
    {"emb_layers.1.", "time_emb_proj."},
    {"out_layers.0.", "norm2."},
    {"out_layers.3.", "conv2."},
    {"skip_connection.", "conv_shortcut."},
}};

constexpr std::array<Row, 7> kUnetEnds{{
    {"input_blocks.0.0.", "conv_in."},
    {"time_embed.0.", "time_embedding.linear_1."},
    {"time_embed.2.", "time_embedding.linear_2."},
    {"time_embed.cond_proj.", "time_embedding.cond_proj."},
    {"out.0.", "conv_norm_out."},
    {"out.2.", "conv_out."},
    {"middle_block.1.", "mid_block.attentions.0."},
}};

constexpr std::array<Row, 6> kVaeResnet{{
    {"norm1.", "norm1."},
    {"conv1.", "conv1."},
    {"norm2.", "norm2."},
    {"conv2.", "conv2."},
    {"nin_shortcut.", "conv_shortcut."},
    {"conv_shortcut.", "conv_shortcut."},
}};

constexpr std::array<Row, 5> kVaeAttention{{
    {"norm.", "group_norm."},
    {"q.", "to_q."},
    {"k.", "to_k."},
    {"v.", "to_v."},
    {"proj_out.", "to_out.0."},
}};

constexpr std::array<Row, 8> kVaeEnds{{
    {"encoder.conv_in.", "encoder.conv_in."},
    {"encoder.conv_out.", "encoder.conv_out."},
    {"encoder.norm_out.", "encoder.conv_norm_out."},
    {"decoder.conv_in.", "decoder.conv_in."},
    {"decoder.conv_out.", "decoder.conv_out."},
    {"decoder.norm_out.", "decoder.conv_norm_out."},
    {"quant_conv.", "quant_conv."},
    {"post_quant_conv.", "post_quant_conv."},
}};

// Prefix of an original name -> prefix in diffusers, and the rows for what follows it.
class PrefixMap {
 public:
  void add(std::string original, std::string diffusers, Rows tail = kSame) {
    targets_[std::move(original)] = {std::move(diffusers), tail};
  }
  void add(Rows rows) {
    for (const auto& [original, diffusers] : rows) add(std::string(original), std::string(diffusers));
  }

  std::optional<std::string> renamed(std::string_view name) const {
    for (size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
      const auto found = targets_.find(std::string(name.substr(0, dot + 1)));
      if (found != targets_.end()) return with_tail(found->second, name.substr(dot + 1));
    }
    return std::nullopt;
  }

 private:
  struct Target {
    std::string prefix;
    Rows tail;
  };
  static std::optional<std::string> with_tail(const Target& target, std::string_view tail) {
    for (const auto& [original, diffusers] : target.tail) {
      if (tail.starts_with(original))
        return target.prefix + std::string(diffusers) + std::string(tail.substr(original.size()));
    }
    return std::nullopt;
  }

  std::unordered_map<std::string, Target> targets_;
};

// "12.1.in_layers.0.weight" -> 12 and "1.in_layers.0.weight".
std::optional<int> leading_number(std::string_view& text) {
  int number = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && number < kMostBlocks; ++digits)
    number = number * 10 + (text[digits] - '0');
  if (digits == 0 || number >= kMostBlocks || digits == text.size() || text[digits] != '.') return std::nullopt;
  text.remove_prefix(digits + 1);
  return number;
}

// For each N of "<list>N.<place>.<tail>": the place that holds each kind of tail.
struct Block {
  std::optional<int> resnet, transformer, downsample, upsample;
};

std::map<int, Block> blocks_of(const std::vector<std::string_view>& names, std::string_view list) {
  std::map<int, Block> blocks;
  for (std::string_view name : names) {
    if (!name.starts_with(list)) continue;
    name.remove_prefix(list.size());
    const auto index = leading_number(name);
    const auto place = index ? leading_number(name) : std::nullopt;
    if (!place) continue;
    Block& block = blocks[*index];
    if (name.starts_with("in_layers.")) block.resnet = place;
    if (name.starts_with("proj_in.")) block.transformer = place;
    if (name.starts_with("op.")) block.downsample = place;
    if (name.starts_with("conv.")) block.upsample = place;
  }
  return blocks;
}

// The research code keeps one flat list of blocks; a block that halves (or also doubles) the size ends a level.
void add_blocks(PrefixMap& map, const std::vector<std::string_view>& names, std::string_view list,
                std::string_view levels) {
  int level = 0, index = 0;
  for (const auto& [number, block] : blocks_of(names, list)) {
    const auto original = [&, n = number](int place) { return fmt::format("{}{}.{}.", list, n, place); };
    const auto target = [&](std::string_view kind, int i) {
      return fmt::format("{}.{}.{}.{}.", levels, level, kind, i);
    };
    if (block.resnet) map.add(original(*block.resnet), target("resnets", index), kUnetResnet);
    if (block.transformer) map.add(original(*block.transformer), target("attentions", index));
    if (block.resnet) ++index;
    if (block.downsample) map.add(original(*block.downsample) + "op.", target("downsamplers", 0) + "conv.");
    if (block.upsample) map.add(original(*block.upsample) + "conv.", target("upsamplers", 0) + "conv.");
    if (block.downsample || block.upsample) {
      ++level;
      index = 0;
    }
  }
}

PrefixMap unet_map(const std::vector<std::string_view>& names) {
  PrefixMap map;
  map.add(kUnetEnds);
  map.add("middle_block.0.", "mid_block.resnets.0.", kUnetResnet);
  map.add("middle_block.2.", "mid_block.resnets.1.", kUnetResnet);
  add_blocks(map, names, "input_blocks.", "down_blocks");
  add_blocks(map, names, "output_blocks.", "up_blocks");
  return map;
}

int count_levels(const std::vector<std::string_view>& names, std::string_view list) {
  int count = 0;
  for (std::string_view name : names) {
    if (!name.starts_with(list)) continue;
    name.remove_prefix(list.size());
    count = std::max(count, leading_number(name).value_or(-1) + 1);
  }
  return count;
}

PrefixMap vae_map(const std::vector<std::string_view>& names) {
  constexpr int kMostResnets = 16;  // in one level
  PrefixMap map;
  map.add(kVaeEnds);
  for (const std::string side : {"encoder", "decoder"}) {
    map.add(side + ".mid.block_1.", side + ".mid_block.resnets.0.", kVaeResnet);
    map.add(side + ".mid.block_2.", side + ".mid_block.resnets.1.", kVaeResnet);
    map.add(side + ".mid.attn_1.", side + ".mid_block.attentions.0.", kVaeAttention);
  }
  const int downs = count_levels(names, "encoder.down."), ups = count_levels(names, "decoder.up.");
  for (int i = 0; i < downs; ++i) {
    map.add(fmt::format("encoder.down.{}.downsample.", i), fmt::format("encoder.down_blocks.{}.downsamplers.0.", i));
    for (int j = 0; j < kMostResnets; ++j)
      map.add(fmt::format("encoder.down.{}.block.{}.", i, j), fmt::format("encoder.down_blocks.{}.resnets.{}.", i, j),
              kVaeResnet);
  }
  for (int i = 0; i < ups; ++i) {  // counted from the picture's side in the original, from the latents' in diffusers
    map.add(fmt::format("decoder.up.{}.upsample.", i), fmt::format("decoder.up_blocks.{}.upsamplers.0.", ups - 1 - i));
    for (int j = 0; j < kMostResnets; ++j)
      map.add(fmt::format("decoder.up.{}.block.{}.", i, j),
              fmt::format("decoder.up_blocks.{}.resnets.{}.", ups - 1 - i, j), kVaeResnet);
  }
  return map;
}

bool is_stray(std::string_view name) {
  return name.ends_with(".position_ids") ||
         std::ranges::any_of(kStrays, [&](std::string_view stray) { return name.starts_with(stray); });
}

// Names below `prefix`, without it.
std::vector<std::string_view> names_below(const TensorSource& file, std::string_view prefix) {
  std::vector<std::string_view> names;
  for (const auto& info : file.tensors()) {
    if (info.name.starts_with(prefix)) names.push_back(std::string_view(info.name).substr(prefix.size()));
  }
  return names;
}

bool has_prefix(const TensorSource& file, std::string_view prefix) {
  return std::ranges::any_of(file.tensors(), [&](const TensorInfo& info) { return info.name.starts_with(prefix); });
}

bool add_if_known(std::vector<Renaming>& part, const PrefixMap& map, const TensorInfo& info, size_t prefix) {
  auto name = map.renamed(std::string_view(info.name).substr(prefix));
  if (name) part.push_back({info.name, std::move(*name), std::nullopt});
  return name.has_value();
}

}  // namespace

SingleFileKeys sort_keys(const TensorSource& file) {
  const PrefixMap unet = unet_map(names_below(file, kUnetPrefix));
  const PrefixMap vae = vae_map(names_below(file, kVaePrefix));
  SingleFileKeys keys;
  for (const auto& info : file.tensors()) {
    if (is_stray(info.name)) continue;
    bool known = false;
    if (info.name.starts_with(kUnetPrefix))
      known = add_if_known(keys.unet, unet, info, kUnetPrefix.size());
    else if (info.name.starts_with(kVaePrefix))
      known = add_if_known(keys.vae, vae, info, kVaePrefix.size());
    else if (info.name.starts_with(kTextPrefix)) {
      keys.text.push_back({info.name, info.name.substr(kTextPrefix.size()), std::nullopt});
      known = true;
    }
    if (!known) keys.unused.push_back(info.name);
  }
  return keys;
}

std::vector<Renaming> vae_keys(const TensorSource& file) {
  std::vector<Renaming> keys;
  if (has_prefix(file, "decoder.up_blocks.") || has_prefix(file, "encoder.down_blocks.")) {
    for (const auto& info : file.tensors()) keys.push_back({info.name, info.name, std::nullopt});
    return keys;
  }
  const std::string_view prefix = has_prefix(file, kVaePrefix) ? kVaePrefix : std::string_view();
  const PrefixMap map = vae_map(names_below(file, prefix));
  for (const auto& info : file.tensors()) {
    if (info.name.starts_with(prefix) && !is_stray(info.name)) add_if_known(keys, map, info, prefix.size());
  }
  return keys;
}

}  // namespace fresco::checkpoint
