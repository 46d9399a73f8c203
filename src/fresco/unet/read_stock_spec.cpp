// diffusers' UNet2DConditionModel (0.35.2): down, middle and up blocks of resnets with an optional transformer after each.
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/unet/read_spec.h"

namespace fresco::unet {
namespace {

struct Levels {
  std::vector<int64_t> channels, resnets, heads, depth;
  std::vector<bool> down_attends, up_attends;  // in the order of the blocks
  bool middle = true;
};

// A number for all levels, or a list of one for each.
std::vector<int64_t> per_level(const Json& config, const char* key, int64_t fallback, size_t levels,
                               std::string_view place) {
  const auto found = config.find(key);
  if (found != config.end() && found->is_array()) return read_counts(config, key, levels, place, 1);
  return std::vector<int64_t>(levels, read_count(config, key, fallback, place));
}

std::vector<bool> attends(const Json& config, const char* key, const std::string& with, const std::string& without,
                          size_t levels, bool last_attends, std::string_view place) {
  auto types = json_value<std::vector<std::string>>(config, key, {}, place);
  if (types.empty()) {
    types.assign(levels, with);
    (last_attends ? types.front() : types.back()) = without;
  }
  if (types.size() != levels)
    throw FormatError(place, fmt::format("\"{}\": expected {} blocks, got {}", key, levels, types.size()));
  std::vector<bool> flags;
  for (const auto& type : types) {
    if (type != with && type != without)
      throw FormatError(place,
                        fmt::format("\"{}\": expected {} or {}, got {}", key, with, without, printable(type, 60)));
    flags.push_back(type == with);
  }
  return flags;
}

Levels read_levels(const Json& config, std::string_view place) {
  Levels levels;
  levels.channels = json_value<std::vector<int64_t>>(config, "block_out_channels", {320, 640, 1280, 1280}, place);
  const size_t count = levels.channels.size();
  if (count < 1 || count > 16)
    throw FormatError(place, fmt::format("\"block_out_channels\": expected 1 to 16 levels, got {}", count));
  if (config.contains("block_out_channels")) read_counts(config, "block_out_channels", count, place, 1);
  levels.resnets = per_level(config, "layers_per_block", 2, count, place);
  // attention_head_dim is the number of heads; its name is a mistake that diffusers keeps for old files.
  const bool named = config.contains("num_attention_heads") && !config["num_attention_heads"].is_null();
  levels.heads = per_level(config, named ? "num_attention_heads" : "attention_head_dim", 8, count, place);
  levels.depth = per_level(config, "transformer_layers_per_block", 1, count, place);
  levels.down_attends = attends(config, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", count, false, place);
  levels.up_attends = attends(config, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", count, true, place);
  const auto middle = config.find("mid_block_type");
  levels.middle = middle == config.end() || !middle->is_null();
  if (middle != config.end() && !middle->is_null() && *middle != "UNetMidBlock2DCrossAttn")
    throw FormatError(place, fmt::format("\"mid_block_type\": expected UNetMidBlock2DCrossAttn, got {}",
                                         printable(middle->dump(), 60)));
  return levels;
}

CellSpec transformer(const std::string& block, int64_t index, int64_t channels, int64_t heads, int64_t depth) {
  return {.kind = CellKind::transformer,
          .prefix = fmt::format("{}.attentions.{}", block, index),
          .in = channels,
          .out = channels,
          .heads = heads,
          .depth = depth};
}

// Adds a resnet, and behind it a transformer when the block has them; the last of the two pushes on the way down.
void add_pair(StageSpec& stage, const std::string& block, CellSpec resnet, int64_t index, const Levels& levels,
              size_t level, bool attention, bool pushes) {
  resnet.prefix = fmt::format("{}.resnets.{}", block, index);
  stage.cells.push_back(resnet);
  if (attention) stage.cells.push_back(transformer(block, index, resnet.out, levels.heads[level], levels.depth[level]));
  stage.cells.back().pushes_skip = pushes;
}

int64_t add_way_down(UNetSpec& spec, const Levels& levels, std::vector<int64_t>& skips) {
  int64_t hidden = spec.width;
  for (size_t level = 0; level < levels.channels.size(); ++level) {
    const auto block = fmt::format("down_blocks.{}", level);
    const int64_t out = levels.channels[level];
    StageSpec stage;
    for (int64_t i = 0; i < levels.resnets[level]; ++i) {
      add_pair(stage, block, {.in = hidden, .out = out}, i, levels, level, levels.down_attends[level], /*pushes=*/true);
      skips.push_back(out);
      hidden = out;
    }
    if (level + 1 < levels.channels.size()) {
      stage.resample = Resample::halve;
      stage.resample_prefix = block + ".downsamplers.0.conv";
      stage.pushes_resampled = true;
      skips.push_back(out);
    }
    spec.stages.push_back(std::move(stage));
  }
  return hidden;
}

void add_middle(UNetSpec& spec, const Levels& levels) {
  const size_t last = levels.channels.size() - 1;
  const int64_t channels = levels.channels[last];
  const CellSpec resnet{.in = channels, .out = channels};
  StageSpec stage;
  add_pair(stage, "mid_block", resnet, 0, levels, last, /*attention=*/true, false);
  add_pair(stage, "mid_block", resnet, 1, levels, last, /*attention=*/false, false);
  spec.stages.push_back(std::move(stage));
}

void add_way_up(UNetSpec& spec, const Levels& levels, int64_t hidden, std::vector<int64_t> skips,
                std::string_view place) {
  const size_t count = levels.channels.size();
  for (size_t block_index = 0; block_index < count; ++block_index) {
    const size_t level = count - 1 - block_index;
    const auto block = fmt::format("up_blocks.{}", block_index);
    const int64_t out = levels.channels[level];
    StageSpec stage;
    for (int64_t i = 0; i < levels.resnets[level] + 1; ++i) {
      if (skips.empty()) throw FormatError(place, fmt::format("{}: pops a skip, but none is left", block));
      add_pair(stage, block, {.in = hidden, .skip = skips.back(), .out = out}, i, levels, level,
               levels.up_attends[block_index], false);
      skips.pop_back();
      hidden = out;
    }
    if (block_index + 1 < count) {
      stage.resample = Resample::to_next_skip;
      stage.resample_prefix = block + ".upsamplers.0.conv";
    }
    spec.stages.push_back(std::move(stage));
  }
}

}  // namespace

UNetSpec read_stock_spec(const Json& config, std::string_view place) {
  const Levels levels = read_levels(config, place);
  UNetSpec spec;
  spec.out_channels = read_count(config, "out_channels", 4, place);
  spec.width = levels.channels.front();
  spec.time_width = read_count(config, "time_embedding_dim", 4 * spec.width, place);
  spec.context_width = read_count(config, "cross_attention_dim", 1280, place);
  spec.groups = read_count(config, "norm_num_groups", 32, place);
  spec.resnet_eps = json_value<double>(config, "norm_eps", 1e-5, place);
  spec.norm_out_eps = spec.resnet_eps;
  spec.cosine_first = json_value<bool>(config, "flip_sin_to_cos", true, place);
  spec.frequency_shift = json_value<double>(config, "freq_shift", 0.0, place);
  spec.sample_size = read_count(config, "sample_size", 64, place);
  std::vector<int64_t> skips{spec.width};
  const int64_t hidden = add_way_down(spec, levels, skips);
  if (levels.middle) add_middle(spec, levels);
  add_way_up(spec, levels, hidden, skips, place);
  return spec;
}

}  // namespace fresco::unet
