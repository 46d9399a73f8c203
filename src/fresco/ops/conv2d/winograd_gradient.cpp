#include "fresco/ops/conv2d/winograd_gradient.h"

#include <algorithm>

#include "fresco/ops/parallel.h"

namespace fresco::ops::winograd {
namespace {

constexpr int64_t kTransformedBytes = 16 << 20;  // of both pictures at a time: they stay in the last-level cache
constexpr int64_t kTransformTiles = 16;          // of a task that transforms; even
constexpr int64_t kOutputPanels = 4;  // of a task that multiplies, at most: its sums stay in the second-level cache
constexpr int64_t kDepth = 192;       // of the innermost loops: panels stay in the first cache; even
constexpr int64_t kTasksPerThread = 4;

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// One of the two transformed pictures.
struct Side {
  const gemm::Rows& rows;
  int64_t panels;
  Transformed place;
};

using Transform = void (*)(const gemm::Rows&, int64_t, int64_t, int64_t, int64_t, const Transformed&);

void transform(const Side& side, Transform run, int64_t first, int64_t count) {
  const int64_t blocks = divided_up(count, kTransformTiles);
  parallel_for(side.panels * blocks, 0, [&](int64_t i, std::byte*) {
    const int64_t at = i / side.panels * kTransformTiles, panel = i % side.panels;
    Transformed to = side.place;
    to.data += panel * to.panel_bytes;
    run(side.rows, panel * to.width, first + at, std::min(kTransformTiles, count - at), at, to);
  });
}

// All points of some panels of outputs and one of inputs.
void multiply_points(const GradientKernel& kernel, const Side& dy, const Side& x, int64_t panel, int64_t panels,
                     int64_t column, int64_t tiles, float* sums) {
  const outer::Kernel& products = *kernel.products;
  const int64_t tile = products.rows * products.columns;
  for (int64_t point = 0; point < kernel.points; ++point) {
    const std::byte* right = x.place.data + point * x.place.point_bytes + column * x.place.panel_bytes;
    for (int64_t k = 0; k < tiles; k += kDepth) {
      const int64_t depth = std::min(kDepth, tiles - k);
      for (int64_t p = 0; p < panels; ++p) {
        const std::byte* left = dy.place.data + point * dy.place.point_bytes + (panel + p) * dy.place.panel_bytes;
        products.multiply(depth, left + k * dy.place.width * products.bytes_each,
                          right + k * x.place.width * products.bytes_each, products.rows, products.columns, k > 0,
                          sums + (point * panels + p) * tile, products.columns);
      }
    }
  }
}

}  // namespace

void weight_gradient(const GradientKernel& kernel, const Gradient& call) {
  const outer::Kernel& products = *kernel.products;
  const gemm::Rows& rows = call.rows;
  gemm::Rows above = rows;  // dy, by the places of its tiles
  above.x = call.dy;
  above.channels = above.x_stride = call.outputs;
  above.skip = nullptr;
  above.skip_channels = 0;
  const int64_t channels = rows.taps_channels();
  const int64_t tiles = call.batch * divided_up(rows.out_height, kernel.side) * divided_up(rows.out_width, kernel.side);
  const int64_t out_panels = divided_up(call.outputs, products.rows),
                in_panels = divided_up(channels, products.columns);
  const int64_t tile_bytes =
      kernel.points * (out_panels * products.rows + in_panels * products.columns) * products.bytes_each;
  const int64_t most = std::max(kTransformTiles, kTransformedBytes / tile_bytes / kTransformTiles * kTransformTiles);
  const int64_t room = std::min(most, divided_up(tiles, 2) * 2);
  std::byte* scratch = shared_scratch(static_cast<size_t>(room * tile_bytes));
  const auto side_of = [&](const gemm::Rows& picture, int64_t panels, int64_t width, std::byte* data) {
    const int64_t panel_bytes = room * width * products.bytes_each;
    return Side{picture, panels, {data, width, panel_bytes, panels * panel_bytes}};
  };
  const Side dy = side_of(above, out_panels, products.rows, scratch);
  const Side x = side_of(rows, in_panels, products.columns, scratch + kernel.points * dy.place.point_bytes);
  const int64_t wanted = divided_up(kTasksPerThread * thread_count(), in_panels);
  const int64_t down = std::min(out_panels, std::max(divided_up(out_panels, kOutputPanels), wanted));
  const int64_t widest = divided_up(out_panels, down) * products.rows;
  const auto sums_bytes = static_cast<size_t>(kernel.points * widest * products.columns) * sizeof(float);
  for (int64_t first = 0; first < tiles; first += most) {
    const int64_t count = std::min(most, tiles - first);
    transform(dy, kernel.transform_output, first, count);
    transform(x, kernel.transform_input, first, count);
    parallel_for(down * in_panels, sums_bytes, [&](int64_t i, std::byte* memory) {
      const int64_t block = i % down, column = i / down;
      const int64_t panel = out_panels * block / down, panels = out_panels * (block + 1) / down - panel;
      auto* sums = reinterpret_cast<float*>(memory);
      multiply_points(kernel, dy, x, panel, panels, column, count, sums);
      const int64_t output = panel * products.rows, channel = column * products.columns;
      kernel.gather(sums, std::min(panels * products.rows, call.outputs - output),
                    std::min(products.columns, channels - channel), first > 0,
                    call.weights + output * 9 * channels + channel, channels);
    });
  }
}

}  // namespace fresco::ops::winograd
