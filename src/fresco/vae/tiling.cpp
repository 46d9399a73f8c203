// Decoding in overlapping tiles. The attention of the coarsest level and the group norms see one tile at a time, so tiles differ a little
// where they overlap; a smooth ramp across the whole overlap hides that.
#include <ATen/ATen.h>

#include "fresco/vae/vae.h"

namespace fresco::vae {
namespace {

// First latent of each tile along one side: evenly spread, the last one ends at the end.
std::vector<int64_t> tile_starts(int64_t side, const Tiling& tiling) {
  if (side <= tiling.tile) return {0};
  const int64_t reach = side - tiling.tile;
  const int64_t stride = std::max<int64_t>(1, tiling.tile - tiling.overlap);
  const int64_t steps = (reach + stride - 1) / stride;
  std::vector<int64_t> starts;
  for (int64_t i = 0; i <= steps; ++i) starts.push_back(reach * i / steps);
  return starts;
}

// Weight of each pixel of a tile along one side: rises from the near edge over what is shared with the tile before, falls likewise.
at::Tensor ramp(int64_t length, int64_t shared_before, int64_t shared_after) {
  auto weight = at::ones({length});
  const auto rise = [](int64_t n) { return (at::arange(n, at::kFloat) + 0.5) / static_cast<double>(n); };
  if (shared_before > 0) weight.narrow(0, 0, shared_before).mul_(rise(shared_before));
  if (shared_after > 0) weight.narrow(0, length - shared_after, shared_after).mul_(rise(shared_after).flip(0));
  return weight;
}

struct Span {
  int64_t start, length, before, after;  // in latents; shared with the neighbours
};

std::vector<Span> spans(int64_t side, const Tiling& tiling) {
  const auto starts = tile_starts(side, tiling);
  std::vector<Span> list;
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t length = std::min(tiling.tile, side);
    const int64_t before = i == 0 ? 0 : starts[i - 1] + length - starts[i];
    const int64_t after = i + 1 == starts.size() ? 0 : starts[i] + length - starts[i + 1];
    list.push_back({starts[i], length, before, after});
  }
  return list;
}

}  // namespace

at::Tensor Vae::decode_tiled(const at::Tensor& latents, const Tiling& tiling,
                             const std::function<void()>& between) const {
  const int64_t scale = spec_.scale(), batch = latents.size(0), height = latents.size(2), width = latents.size(3);
  auto picture = at::zeros({batch, spec_.picture_channels, height * scale, width * scale});
  auto total = at::zeros({1, 1, height * scale, width * scale});
  for (const Span& row : spans(height, tiling)) {
    for (const Span& column : spans(width, tiling)) {
      if (between) between();
      const auto tile = latents.narrow(2, row.start, row.length).narrow(3, column.start, column.length);
      const auto weight = ramp(row.length * scale, row.before * scale, row.after * scale).view({1, 1, -1, 1}) *
                          ramp(column.length * scale, column.before * scale, column.after * scale).view({1, 1, 1, -1});
      const auto place = [&](at::Tensor& whole) {
        return whole.narrow(2, row.start * scale, row.length * scale)
            .narrow(3, column.start * scale, column.length * scale);
      };
      place(picture).add_(decode(tile).to(at::kCPU) * weight);
      place(total).add_(weight);
    }
  }
  return picture.div_(total);
}

}  // namespace fresco::vae
