#include "fresco/unet/multiply_adds.h"

#include <vector>

namespace fresco::unet {
namespace {

struct Size {
  int64_t height = 0, width = 0;
  int64_t pixels() const { return height * width; }
};

// Follows the hidden state through the network; side_fits has said that every skip meets one of its size.
class Walk {
 public:
  Walk(const UNetSpec& spec, Size size, int64_t tokens) : spec_(spec), size_(size), tokens_(tokens) {
    skips_.push_back(size);
  }

  MultiplyAdds run() {
    count_.conv3x3 += 9 * spec_.in_channels * spec_.width * size_.pixels();
    count_.time += spec_.width * spec_.time_width + spec_.time_width * spec_.time_width;
    for (const StageSpec& stage : spec_.stages) this->stage(stage);
    count_.conv3x3 += 9 * spec_.width * spec_.out_channels * size_.pixels();
    return count_;
  }

 private:
  void stage(const StageSpec& stage) {
    for (const CellSpec& cell : stage.cells) {
      if (cell.pops_skip()) skips_.pop_back();
      for (int i = 0; i < cell.repeat; ++i) cell.kind == CellKind::resnet ? resnet(cell) : transformer(cell);
      if (cell.pushes_skip) skips_.push_back(size_);
    }
    if (stage.resample != Resample::none) resample(stage);
  }

  void resnet(const CellSpec& cell) {
    const int64_t in = cell.in + cell.skip;
    count_.conv3x3 += 9 * (in + cell.out) * cell.out * size_.pixels();
    count_.time += spec_.time_width * cell.out;
    if (in != cell.out) count_.pointwise += in * cell.out * size_.pixels();
  }

  void transformer(const CellSpec& cell) {
    const int64_t c = cell.out, pixels = size_.pixels();
    count_.pointwise += 2 * c * c * pixels;  // into the blocks and out of them
    // Queries, keys, values and output of the pixels; queries and output for the text, whose keys and values are 2 c wide.
    count_.projections += cell.depth * (6 * c * c * pixels + 2 * spec_.context_width * c * tokens_);
    count_.attention += cell.depth * 2 * c * pixels * (pixels + tokens_);
    count_.feed_forward += cell.depth * (8 + 4) * c * c * pixels;  // GEGLU: 8 c wide, 4 c after gating
  }

  void resample(const StageSpec& stage) {
    const bool halves = stage.resample == Resample::halve;
    if (halves) {
      size_ = {(size_.height + 1) / 2, (size_.width + 1) / 2};
    } else if (stage.resample == Resample::to_next_skip && !skips_.empty()) {
      size_ = skips_.back();
    } else {
      size_ = {2 * size_.height, 2 * size_.width};
    }
    const int64_t channels = stage.cells.back().out;
    (halves ? count_.conv3x3_halving : count_.conv3x3_enlarged) += 9 * channels * channels * size_.pixels();
    if (stage.pushes_resampled) skips_.push_back(size_);
  }

  const UNetSpec& spec_;
  Size size_;
  int64_t tokens_;
  std::vector<Size> skips_;
  MultiplyAdds count_;
};

}  // namespace

MultiplyAdds multiply_adds(const UNetSpec& spec, int64_t height, int64_t width, int64_t tokens) {
  return Walk(spec, {height, width}, tokens).run();
}

}  // namespace fresco::unet
