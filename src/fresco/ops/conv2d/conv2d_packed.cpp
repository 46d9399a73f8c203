// Convolutions with packed weights: Winograd's for 3x3 with stride 1, products over the taps for the others. Both read two inputs where they
// lie and add bias, shift and residual before they write.
#include <ATen/ATen.h>

#include <algorithm>

#include "fresco/ops/conv2d/convolve.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;
// Transformed weights of a group of columns are shared by all threads: small enough for the last-level cache.
constexpr int64_t kGroupBytes = 8 << 20;
// From so many tiles on, transforming weights once for all of them pays.
constexpr int64_t kShareFrom = 256;
constexpr int64_t kTasksPerThread = 4;
// Pixels from which larger tiles serve where kernels have a choice: under it, transforming weights for few tiles costs more than it saves.
constexpr int64_t kLargePicture = 16 * 16;

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

at::Tensor make_output(const Convolution& call, const at::Tensor& x) {
  const ConvGeometry& g = call.geometry;
  const int64_t scale = call.doubled ? 2 : 1;
  const int64_t height = (scale * x.size(2) + g.top + g.bottom - call.side) / g.stride + 1;
  const int64_t width = (scale * x.size(3) + g.left + g.right - call.side) / g.stride + 1;
  return empty({x.size(0), call.outputs, height, width}, x.options(), kChannelsLast);
}

// Splits tiles evenly into blocks, as many as threads can share out when there are few.
int64_t tile_blocks(int64_t tiles, int64_t most, int64_t columns) {
  const int64_t blocks = divided_up(tiles, most), threads = thread_count();
  return columns >= kTasksPerThread * threads ? blocks : divided_up(blocks, threads) * threads;
}

// All blocks of a group of panels. u: their transformed weights, or null.
void convolve_group(const winograd::Kernel& kernel, const winograd::Call& call, const winograd::Phase& phase,
                    int64_t first, int64_t panels, const std::byte* u, int64_t u_panel) {
  const int64_t tiles = call.batch * winograd::tiles_of(call.rows, kernel);
  const int64_t width = kernel.columns / kernel.panel, columns = divided_up(panels, width);
  const int64_t blocks = std::min(tiles, tile_blocks(tiles, kernel.tiles, columns));
  parallel_for(blocks * columns, kernel.scratch_bytes, [&](int64_t i, std::byte* scratch) {
    const int64_t block = i % blocks, column = i / blocks;
    const int64_t tile = tiles * block / blocks, panel = panels * column / columns;
    const winograd::Block part{tile, tiles * (block + 1) / blocks - tile, first + panel,
                               panels * (column + 1) / columns - panel, phase};
    kernel.convolve(call, part, u == nullptr ? nullptr : u + panel * u_panel, scratch);
  });
}

void transform_group(const winograd::Kernel& kernel, const gemm::Packed& weights, const winograd::Phase& phase,
                     int64_t first, int64_t panels, std::byte* u, int64_t u_panel) {
  const int64_t parts = divided_up(weights.depth, kernel.depth);
  parallel_for(panels * parts, 0, [&](int64_t i, std::byte*) {
    const int64_t panel = i / parts;
    kernel.transform_weights(weights, phase, first + panel, i % parts, u + panel * u_panel);
  });
}

void convolve_phase(const winograd::Kernel& kernel, const winograd::Call& call, const winograd::Phase& phase) {
  const int64_t tiles = call.batch * winograd::tiles_of(call.rows, kernel), panels = call.weights.panels();
  if (tiles < kShareFrom) return convolve_group(kernel, call, phase, 0, panels, nullptr, 0);
  const int64_t u_panel = divided_up(call.weights.depth, kernel.depth) * static_cast<int64_t>(kernel.part_bytes);
  const int64_t width = kernel.columns / kernel.panel;
  const int64_t group = std::min(panels, std::max<int64_t>(1, kGroupBytes / u_panel / width) * width);
  std::byte* room = shared_scratch(static_cast<size_t>(group * u_panel));
  for (int64_t first = 0; first < panels; first += group) {
    const int64_t count = std::min(group, panels - first);
    transform_group(kernel, call.weights, phase, first, count, room, u_panel);
    convolve_group(kernel, call, phase, first, count, room, u_panel);
  }
}

void convolve_winograd(const winograd::Kernel& kernel, const winograd::Call& call) {
  for (int64_t y = 0; y < kernel.scale; ++y) {
    for (int64_t x = 0; x < kernel.scale; ++x) convolve_phase(kernel, call, {y, x});
  }
}

// The form of Winograd's convolution for a call; null: products over the taps.
const winograd::Kernel* winograd_for(const Convolution& call, const at::Tensor& y) {
  const KernelSet& kernels = call.kernels;
  if (call.weights.layout != Layout::winograd) return nullptr;
  if (call.doubled) return kernels.doubled;
  const bool large = y.size(2) * y.size(3) >= kLargePicture;
  return large ? kernels.winograd_large : kernels.winograd;
}

gemm::Epilogue epilogue_of(const Convolution& call, const at::Tensor& shift, const at::Tensor& residual,
                           const at::Tensor& y) {
  const auto pointer = [](const at::Tensor& t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; };
  return {.bias = pointer(call.bias),
          .shift = pointer(shift),
          .rows_per_sample = y.size(2) * y.size(3),
          .residual = pointer(residual),
          .residual_stride = y.size(1)};
}

}  // namespace

gemm::Rows rows_under(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& y, int64_t side,
                      const ConvGeometry& geometry) {
  gemm::Rows rows{.x = x.const_data_ptr<float>(), .channels = x.size(1), .x_stride = x.size(1)};
  if (skip.defined()) {
    rows.skip = skip.const_data_ptr<float>();
    rows.skip_channels = rows.skip_stride = skip.size(1);
  }
  rows.side = side;
  rows.stride = geometry.stride;
  rows.top = geometry.top;
  rows.left = geometry.left;
  rows.height = x.size(2);
  rows.width = x.size(3);
  rows.out_height = y.size(2);
  rows.out_width = y.size(3);
  return rows;
}

at::Tensor convolve(const Convolution& call) {
  if (call.doubled && call.weights.layout != Layout::winograd) {
    const auto x = doubled(call.x);
    return convolve({x, call.skip, call.weights, call.kernels, call.outputs, call.side, call.geometry, call.bias,
                     call.shift, call.residual});
  }
  const auto plain = [](const at::Tensor& t) { return t.defined() ? contiguous(t, kChannelsLast) : t; };
  const auto x = plain(call.x), skip = plain(call.skip), residual = plain(call.residual);
  const auto shift = call.shift.defined() ? call.shift.contiguous() : call.shift;
  auto y = make_output(call, x);
  const auto rows = rows_under(x, skip, y, call.side, call.geometry);
  const auto epilogue = epilogue_of(call, shift, residual, y);
  const gemm::Packed& weights = call.weights.view;
  if (const auto* kernel = winograd_for(call, y)) {
    convolve_winograd(*kernel, {rows, x.size(0), weights, epilogue, y.mutable_data_ptr<float>(), y.size(1)});
  } else {
    gemm::multiply(*call.kernels.matrix, {rows, x.size(0) * y.size(2) * y.size(3), weights, epilogue,
                                          y.mutable_data_ptr<float>(), y.size(1)});
  }
  return y;
}

at::Tensor conv2d_packed(const Conv2dCall& call) {
  const ConvWeights& weights = call.weights;
  return convolve({call.x, call.skip, weights.packed(), weights.kernels(), weights.shape()[0], weights.shape()[2],
                   weights.geometry(), weights.bias(), call.shift, call.residual, call.doubled});
}

}  // namespace fresco::ops
