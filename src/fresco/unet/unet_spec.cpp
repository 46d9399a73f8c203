#include "fresco/unet/unet_spec.h"

#include <fmt/format.h>

#include <optional>

#include "fresco/core/error.h"

namespace fresco::unet {
namespace {

// Follows one side of the latents through the network: the sides of the skips that wait, and of the hidden state.
struct Walk {
  int64_t side;
  std::vector<int64_t> skips;

  bool run(const CellSpec& cell) {
    if (cell.pops_skip()) {
      if (skips.empty() || skips.back() != side) return false;
      skips.pop_back();
    }
    if (cell.pushes_skip) skips.push_back(side);
    return true;
  }
  bool resample(const StageSpec& stage) {
    switch (stage.resample) {
      case Resample::none:
        break;
      case Resample::halve:
        side = (side + 1) / 2;
        break;  // 3x3, stride 2, one row of zeros on either side
      case Resample::exact_double:
        side *= 2;
        break;
      case Resample::to_next_skip:
        side = skips.empty() ? side * 2 : skips.back();
        break;
    }
    if (stage.pushes_resampled) skips.push_back(side);
    return true;
  }
};

class TensorList {
 public:
  void conv(const std::string& name, int64_t in, int64_t out, int64_t side) {
    list.push_back({name + ".weight", {out, in, side, side}});
    list.push_back({name + ".bias", {out}});
  }
  void linear(const std::string& name, int64_t in, int64_t out, bool bias = true) {
    list.push_back({name + ".weight", {out, in}});
    if (bias) list.push_back({name + ".bias", {out}});
  }
  void norm(const std::string& name, int64_t channels) {
    list.push_back({name + ".weight", {channels}});
    list.push_back({name + ".bias", {channels}});
  }
  void resnet(const CellSpec& cell, int64_t time) {
    const int64_t in = cell.in + cell.skip;
    norm(cell.prefix + ".norm1", in);
    conv(cell.prefix + ".conv1", in, cell.out, 3);
    linear(cell.prefix + ".time_emb_proj", time, cell.out);
    norm(cell.prefix + ".norm2", cell.out);
    conv(cell.prefix + ".conv2", cell.out, cell.out, 3);
    if (in != cell.out) conv(cell.prefix + ".conv_shortcut", in, cell.out, 1);
  }
  void transformer(const CellSpec& cell, int64_t context) {
    const int64_t c = cell.out;
    norm(cell.prefix + ".norm", c);
    conv(cell.prefix + ".proj_in", c, c, 1);
    for (int64_t i = 0; i < cell.depth; ++i) block(fmt::format("{}.transformer_blocks.{}", cell.prefix, i), c, context);
    conv(cell.prefix + ".proj_out", c, c, 1);
  }

  std::vector<TensorSpec> list;

 private:
  void block(const std::string& at, int64_t c, int64_t context) {
    for (const char* name : {".norm1", ".norm2", ".norm3"}) norm(at + name, c);
    for (const auto& [attention, width] : {std::pair{at + ".attn1", c}, {at + ".attn2", context}}) {
      linear(attention + ".to_q", c, c, false);
      linear(attention + ".to_k", width, c, false);
      linear(attention + ".to_v", width, c, false);
      linear(attention + ".to_out.0", c, c);
    }
    linear(at + ".ff.net.0.proj", c, 8 * c);
    linear(at + ".ff.net.2", 4 * c, c);
  }
};

void check_cell(const UNetSpec& spec, const CellSpec& cell, int64_t hidden, std::vector<int64_t>& skips,
                std::string_view place) {
  const auto refuse = [&](const std::string& what) {
    throw FormatError(place, fmt::format("{}: {}", cell.prefix, what));
  };
  if (cell.in != hidden)
    refuse(expected_got(fmt::format("{} channels to come in", cell.in), fmt::format("{}", hidden)));
  if (cell.out <= 0 || cell.out % spec.groups != 0 || (cell.in + cell.skip) % spec.groups != 0)
    refuse(expected_got(fmt::format("channels divisible by {} groups", spec.groups),
                        fmt::format("{} and {}", cell.in + cell.skip, cell.out)));
  if (cell.kind == CellKind::transformer && (cell.heads <= 0 || cell.out % cell.heads != 0))
    refuse(expected_got(fmt::format("channels divisible by {} heads", cell.heads), fmt::format("{}", cell.out)));
  if (!cell.pops_skip()) return;
  if (skips.empty()) refuse("pops a skip, but none is left");
  if (skips.back() != cell.skip)
    refuse(expected_got(fmt::format("a skip of {} channels", cell.skip), fmt::format("{}", skips.back())));
  skips.pop_back();
}

}  // namespace

void check_spec(const UNetSpec& spec, std::string_view place) {
  int64_t hidden = spec.width;
  std::vector<int64_t> skips{spec.width};
  for (const auto& stage : spec.stages) {
    for (const auto& cell : stage.cells) {
      check_cell(spec, cell, hidden, skips, place);
      hidden = cell.out;
      if (cell.pushes_skip) skips.push_back(hidden);
    }
    if (stage.pushes_resampled) skips.push_back(hidden);
  }
  if (!skips.empty()) throw FormatError(place, fmt::format("the way up leaves {} skips unused", skips.size()));
  if (hidden != spec.width)
    throw FormatError(place,
                      expected_got(fmt::format("{} channels at the end", spec.width), fmt::format("{}", hidden)));
}

bool side_fits(const UNetSpec& spec, int64_t side) {
  if (side < 1) return false;
  const int64_t first = side;
  Walk walk{side, {side}};
  for (const auto& stage : spec.stages) {
    for (const auto& cell : stage.cells) {
      if (!walk.run(cell)) return false;
    }
    walk.resample(stage);
  }
  return walk.side == first;
}

std::pair<int64_t, int64_t> nearest_sides(const UNetSpec& spec, int64_t side) {
  constexpr int64_t kReach = 256;  // more than any product of halvings that occurs
  int64_t below = side, above = side;
  while (below > 0 && !side_fits(spec, below)) --below;
  while (above < side + kReach && !side_fits(spec, above)) ++above;
  return {below, above};
}

std::vector<TensorSpec> expected_tensors(const UNetSpec& spec) {
  TensorList tensors;
  tensors.conv("conv_in", spec.in_channels, spec.width, 3);
  tensors.linear("time_embedding.linear_1", spec.width, spec.time_width);
  tensors.linear("time_embedding.linear_2", spec.time_width, spec.time_width);
  for (const auto& stage : spec.stages) {
    for (const auto& cell : stage.cells) {
      cell.kind == CellKind::resnet ? tensors.resnet(cell, spec.time_width)
                                    : tensors.transformer(cell, spec.context_width);
    }
    if (stage.resample != Resample::none && !stage.cells.empty()) {
      const int64_t channels = stage.cells.back().out;
      tensors.conv(stage.resample_prefix, channels, channels, 3);
    }
  }
  tensors.norm("conv_norm_out", spec.width);
  tensors.conv("conv_out", spec.width, spec.out_channels, 3);
  return std::move(tensors.list);
}

}  // namespace fresco::unet
