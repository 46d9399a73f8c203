// DeciDiffusion's flexible U-Net: https://huggingface.co/Deci/DeciDiffusion-v1-0, flexible_unet/config.json.
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/unet/read_spec.h"

namespace fresco::unet {
namespace {

struct Reader {
  const Json& keys;
  std::string_view place;
  size_t levels = 0;
  bool mix = true;
  int64_t heads = 8;

  std::vector<int64_t> counts(const char* key, int64_t smallest = 0) const {
    return read_counts(keys, key, levels, place, smallest);
  }
  std::vector<bool> flags(const char* key) const {
    const auto values = json_value<std::vector<bool>>(keys, key, {}, place);
    if (values.size() != levels)
      throw FormatError(place,
                        fmt::format("\"{}\": expected a list of {} true or false, got {}", key, levels, values.size()));
    return values;
  }
};

CellSpec resnet(int64_t in, int64_t skip, int64_t out) {
  return {.kind = CellKind::resnet, .in = in, .skip = skip, .out = out};
}

// Resnets and transformers alternate until one list runs out (or stand one list after the other), then get their prefixes.
std::vector<CellSpec> arrange(const Reader& reader, const std::string& block, std::vector<CellSpec> resnets,
                              int64_t transformers) {
  std::vector<CellSpec> cells;
  const int64_t channels = resnets.empty() ? 0 : resnets.back().out;
  const CellSpec transformer{.kind = CellKind::transformer, .in = channels, .out = channels, .heads = reader.heads};
  const auto count = static_cast<int64_t>(resnets.size());
  for (int64_t i = 0; i < std::max(count, transformers); ++i) {
    if (i < count) cells.push_back(resnets[i]);
    if (reader.mix && i < transformers) cells.push_back(transformer);
  }
  for (int64_t i = 0; !reader.mix && i < transformers; ++i) cells.push_back(transformer);
  for (size_t m = 0; m < cells.size(); ++m) cells[m].prefix = fmt::format("{}.modules_list.{}", block, m);
  return cells;
}

// Skips are taken after each resnet, before the transformer that follows; the last level's halved output is no skip.
void add_way_down(UNetSpec& spec, const Reader& reader, std::vector<int64_t>& skips) {
  const auto in = reader.counts("down_blocks_in_channels", 1), out = reader.counts("down_blocks_out_channels", 1);
  const auto resnets = reader.counts("down_blocks_num_resnets", 1),
             transformers = reader.counts("down_blocks_num_attentions");
  const auto halves = reader.flags("add_downsample");
  for (size_t level = 0; level < reader.levels; ++level) {
    const auto block = fmt::format("down_blocks.{}", level);
    std::vector<CellSpec> list;
    for (int64_t i = 0; i < resnets[level]; ++i) {
      list.push_back(resnet(i == 0 ? in[level] : out[level], 0, out[level]));
      list.back().pushes_skip = true;
      skips.push_back(out[level]);
    }
    StageSpec stage{.cells = arrange(reader, block, list, transformers[level])};
    if (halves[level]) {
      stage.resample = Resample::halve;
      stage.resample_prefix = block + ".downsamplers.0.conv";
      stage.pushes_resampled = level + 1 < reader.levels;
      if (stage.pushes_resampled) skips.push_back(out[level]);
    }
    spec.stages.push_back(std::move(stage));
  }
}

// The published code applies the first resnet once before a loop that begins with it again: it runs twice.
void add_middle(UNetSpec& spec, const Reader& reader) {
  const int64_t channels = reader.counts("down_blocks_out_channels", 1).back();
  const int64_t resnets = read_count(reader.keys, "mid_num_resnets", 0, reader.place, 0, 1000);
  const int64_t transformers = read_count(reader.keys, "mid_num_attentions", 0, reader.place, 0, 1000);
  const CellSpec one = resnet(channels, 0, channels);
  const CellSpec transformer{.kind = CellKind::transformer, .in = channels, .out = channels, .heads = reader.heads};
  StageSpec stage{.cells = {one}};
  for (int64_t i = 0; i < std::max(resnets, transformers); ++i) {
    if (reader.mix && i < transformers) stage.cells.push_back(transformer);
    if (i < resnets) stage.cells.push_back(one);
  }
  for (int64_t i = 0; !reader.mix && i < transformers; ++i) stage.cells.push_back(transformer);
  for (size_t m = 0; m < stage.cells.size(); ++m) stage.cells[m].prefix = fmt::format("mid_block.modules_list.{}", m);
  stage.cells.front().repeat = 2;
  if (json_value<bool>(reader.keys, "add_upsample_mid_block", false, reader.place)) {
    stage.resample = Resample::exact_double;
    stage.resample_prefix = "mid_block.upsamplers.0.conv";
  }
  spec.stages.push_back(std::move(stage));
}

void add_way_up(UNetSpec& spec, const Reader& reader, std::vector<int64_t> skips) {
  const auto down_out = reader.counts("down_blocks_out_channels", 1),
             previous = reader.counts("prev_output_channels", 1);
  const auto resnets = reader.counts("up_blocks_num_resnets", 1),
             transformers = reader.counts("up_blocks_num_attentions");
  const auto doubles = reader.flags("add_upsample");
  for (size_t level = 0; level < reader.levels; ++level) {
    const auto block = fmt::format("up_blocks.{}", level);
    const int64_t out = down_out[reader.levels - 1 - level];
    std::vector<CellSpec> list;
    for (int64_t i = 0; i < resnets[level]; ++i) {
      if (skips.empty())
        throw FormatError(reader.place,
                          fmt::format("\"up_blocks_num_resnets\": {} pops a skip, but none is left", block));
      list.push_back(resnet(i == 0 ? previous[level] : out, skips.back(), out));
      skips.pop_back();
    }
    StageSpec stage{.cells = arrange(reader, block, list, transformers[level])};
    if (doubles[level]) {
      stage.resample = level + 1 < reader.levels ? Resample::to_next_skip : Resample::exact_double;
      stage.resample_prefix = block + ".upsamplers.0.conv";
    }
    spec.stages.push_back(std::move(stage));
  }
}

}  // namespace

UNetSpec read_flexible_spec(const Json& config, std::string_view place, bool has_middle) {
  const Json& keys = config.at("configurations");
  if (!keys.is_object()) throw FormatError(place, "\"configurations\": expected an object");
  const auto act = json_value<std::string>(keys, "resnet_act_fn", "silu", place);
  if (act != "silu" && act != "swish")
    throw FormatError(place, fmt::format("\"resnet_act_fn\": expected silu, got {}", printable(act, 40)));
  Reader reader{.keys = keys, .place = place};
  reader.levels = json_value<std::vector<int64_t>>(keys, "down_blocks_out_channels", {}, place).size();
  if (reader.levels < 1 || reader.levels > 16)
    throw FormatError(place,
                      fmt::format("\"down_blocks_out_channels\": expected 1 to 16 levels, got {}", reader.levels));
  reader.mix = json_value<bool>(keys, "mix_block_in_forward", true, place);
  reader.heads = read_count(keys, "num_attention_heads", 8, place);

  UNetSpec spec;
  spec.out_channels = read_count(config, "out_channels", 4, place);
  spec.width = reader.counts("down_blocks_in_channels", 1).front();  // conv_in's channels: what the first level takes
  spec.time_width = read_count(keys, "temb_dim", 1280, place);
  spec.context_width = read_count(keys, "cross_attention_dim", 1280, place);
  spec.groups = read_count(config, "norm_num_groups", 32, place);
  spec.resnet_eps = json_value<double>(keys, "resnet_eps", 1e-5, place);
  spec.norm_out_eps = json_value<double>(config, "norm_eps", 1e-5, place);  // the end is the parent class's
  spec.sample_size = read_count(keys, "sample_size", 64, place);
  std::vector<int64_t> skips{spec.width};
  add_way_down(spec, reader, skips);
  if (has_middle) add_middle(spec, reader);
  add_way_up(spec, reader, skips);
  return spec;
}

}  // namespace fresco::unet
