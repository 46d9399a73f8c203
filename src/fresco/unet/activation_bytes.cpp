// Follows layers/resnet_cell.cpp, layers/transformer_cell.cpp and UNet::Run line by line, with blocks of memory in place of tensors.
#include "fresco/unet/activation_bytes.h"

#include "fresco/core/live_bytes.h"

namespace fresco::unet {
namespace {

struct State {
  LiveBytes::Held block;
  int64_t height = 0, width = 0;
};

class Walk {
 public:
  Walk(const UNetSpec& spec, int64_t batch, int64_t element_bytes) : spec_(spec), unit_(batch * element_bytes) {}

  int64_t run(int64_t height, int64_t width) {
    const auto latents = hold(spec_.in_channels, height, width);
    hidden_ = {hold(spec_.width, height, width), height, width};
    skips_.push_back(hidden_);
    for (const StageSpec& stage : spec_.stages) this->stage(stage);
    const auto normed = hold(spec_.width, height, width);
    const auto output = hold(spec_.out_channels, height, width);
    return live_.peak();
  }

 private:
  using Held = LiveBytes::Held;
  Held hold(int64_t channels, int64_t height, int64_t width) { return live_.hold(unit_ * channels * height * width); }
  Held hold(int64_t channels) { return hold(channels, hidden_.height, hidden_.width); }

  void stage(const StageSpec& stage) {
    for (const CellSpec& cell : stage.cells) {
      State skip;
      if (cell.pops_skip()) {
        skip = std::move(skips_.back());
        skips_.pop_back();
      }
      for (int i = 0; i < cell.repeat; ++i) cell.kind == CellKind::resnet ? resnet(cell) : transformer(cell);
      if (cell.pushes_skip) skips_.push_back(hidden_);
    }
    if (stage.resample != Resample::none) resample(stage);
  }

  void resnet(const CellSpec& cell) {
    auto normed = hold(cell.in + cell.skip);
    auto inner = hold(cell.out);
    normed.reset();
    const auto shortcut = cell.in + cell.skip != cell.out ? hold(cell.out) : hidden_.block;
    hidden_.block.reset();
    normed = hold(cell.out);
    inner.reset();
    hidden_.block = hold(cell.out);
  }

  void transformer(const CellSpec& cell) {
    const int64_t c = cell.out;
    auto normed = hold(c);
    auto x = hold(c);
    normed.reset();
    for (int64_t i = 0; i < cell.depth; ++i) block(c, x);
    hidden_.block = hold(c);
  }
  void block(int64_t c, Held& x) {
    {
      auto normed = hold(c);
      auto qkv = hold(3 * c);
      normed.reset();
      const auto attended = hold(c);
      qkv.reset();
      x = hold(c);
    }
    {
      auto normed = hold(c);
      auto query = hold(c);
      normed.reset();
      const auto attended = hold(c);
      query.reset();
      x = hold(c);
    }
    auto normed = hold(c);
    const auto gated = hold(4 * c);
    normed.reset();
    x = hold(c);
  }

  void resample(const StageSpec& stage) {
    const int64_t channels = stage.cells.back().out;
    if (stage.resample == Resample::halve) {
      const int64_t height = (hidden_.height + 1) / 2, width = (hidden_.width + 1) / 2;
      hidden_ = {hold(channels, height, width), height, width};
    } else {
      const bool exact = stage.resample == Resample::exact_double || skips_.empty();
      const int64_t height = exact ? 2 * hidden_.height : skips_.back().height;
      const int64_t width = exact ? 2 * hidden_.width : skips_.back().width;
      const bool doubled = height == 2 * hidden_.height && width == 2 * hidden_.width;  // inside the convolution
      if (!doubled) hidden_.block = hold(channels, height, width);
      hidden_ = {hold(channels, height, width), height, width};
    }
    if (stage.pushes_resampled) skips_.push_back(hidden_);
  }

  const UNetSpec& spec_;
  int64_t unit_;  // bytes of one element for every row of the batch
  LiveBytes live_;
  State hidden_;
  std::vector<State> skips_;
};

}  // namespace

int64_t activation_bytes(const UNetSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes) {
  return Walk(spec, batch, element_bytes).run(height, width);
}

int64_t bound_bytes(const UNetSpec& spec, int64_t texts, int64_t tokens, int64_t element_bytes) {
  int64_t channels = 0;
  for (const StageSpec& stage : spec.stages) {
    for (const CellSpec& cell : stage.cells) {
      if (cell.kind == CellKind::transformer) channels += 2 * cell.out * cell.depth;
    }
  }
  return texts * tokens * channels * element_bytes;
}

}  // namespace fresco::unet
