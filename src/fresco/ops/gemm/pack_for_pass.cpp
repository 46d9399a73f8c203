// Weights that change with every step are packed for a single use. Only float32 comes here, and it comes often.
#include <ATen/ATen.h>

#include <algorithm>

#include "fresco/ops/cost.h"
#include "fresco/ops/gemm/packed_weights.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

// Kernels [O][taps][C] as they lie, matrices with one tap.
struct Kernels {
  const float* data;
  int64_t outputs, taps, channels;
};

at::Tensor plain(const at::Tensor& weight) {
  return weight.dim() == 4 ? contiguous(weight, at::MemoryFormat::ChannelsLast) : contiguous(weight);
}

Kernels kernels_of(const at::Tensor& weight) {
  const int64_t taps = weight.dim() == 4 ? weight.size(2) * weight.size(3) : 1;
  return {weight.const_data_ptr<float>(), weight.size(0), taps, weight.size(1)};
}

// outputs, channels: of the convolution that will read it.
PackedWeights room_for(int64_t outputs, int64_t channels, int64_t taps, Layout layout, const KernelSet& kernels) {
  thread_local const Arena memory;
  const ScopedArena scope(&memory);
  const bool winograd = layout == Layout::winograd;
  const bool narrow = kernels.products != Products::f32 && !winograd;
  PackedWeights packed{.layout = layout};
  packed.view = {.storage = narrow ? gemm::Storage::bf16 : gemm::Storage::f32,
                 .outputs = outputs,
                 .depth = winograd ? channels : channels * taps,
                 .panel = winograd ? kernels.winograd->panel : kernels.matrix->panel};
  const int64_t elements =
      packed.view.panels() * packed.view.padded_depth() * packed.view.panel * (winograd ? taps : 1);
  packed.data = empty({elements}, at::dtype(narrow ? at::kBFloat16 : at::kFloat));
  packed.view.data = packed.data.const_data_ptr();
  return packed;
}

// Works on one panel at a time: work(panel, where it goes).
template <typename Panel>
void for_panels(const PackedWeights& packed, const Panel& work) {
  auto* data = static_cast<std::byte*>(packed.data.mutable_data_ptr());
  const int64_t panels = packed.view.panels();
  const auto bytes = static_cast<int64_t>(packed.data.nbytes()) / std::max<int64_t>(1, panels);
  parallel_for(panels, 0, [&](int64_t panel, std::byte*) { work(panel, data + panel * bytes); });
}

const gemm::PackKernel& packer(const PackedWeights& packed, const KernelSet& kernels) {
  return packed.view.storage == gemm::Storage::bf16 ? *kernels.pack : *kernels.pack_floats;
}

}  // namespace

PackedWeights pack_for_pass(const at::Tensor& weight, Layout layout, const KernelSet& kernels) {
  const Span span("pack weights", name(kernels.isa), [&] { return elementwise_cost(weight, 0); });
  const auto values = plain(weight);
  const Kernels w = kernels_of(values);
  const auto packed = room_for(w.outputs, w.channels, w.taps, layout, kernels);
  const int64_t width = packed.view.panel, depth = w.taps * w.channels;
  const gemm::PackKernel& pack = packer(packed, kernels);
  for_panels(packed, [&](int64_t panel, std::byte* to) {
    const float* from = w.data + panel * width * depth;
    const int64_t rows = std::min(width, w.outputs - panel * width);
    if (layout != Layout::winograd)
      return pack.turn(from, depth, rows, depth, to, width * gemm::group_of(packed.view.storage));
    for (int64_t tap = 0; tap < w.taps; ++tap)
      pack.turn(from + tap * w.channels, depth, rows, w.channels, reinterpret_cast<float*>(to) + tap * width,
                w.taps * width);
  });
  return packed;
}

PackedWeights pack_turned(const at::Tensor& weight, const ChannelRange& range, Layout layout,
                          const KernelSet& kernels) {
  const Span span("pack weights", name(kernels.isa), [&] { return elementwise_cost(weight, 0); });
  const auto values = plain(weight);
  const Kernels w = kernels_of(values);
  const auto packed = room_for(range.count, w.outputs, w.taps, layout, kernels);
  const int64_t width = packed.view.panel, depth = w.taps * w.channels;
  const gemm::PackKernel& pack = packer(packed, kernels);
  const int64_t group = gemm::group_of(packed.view.storage);
  for_panels(packed, [&](int64_t panel, std::byte* to) {
    const int64_t columns = std::min(width, range.count - panel * width);
    const float* from = w.data + range.first + panel * width;
    for (int64_t tap = 0; tap < w.taps; ++tap) {
      const float* turned = from + (w.taps - 1 - tap) * w.channels;
      if (layout == Layout::winograd) {
        pack.lay(turned, depth, w.outputs, columns, reinterpret_cast<float*>(to) + tap * width, w.taps * width);
      } else {
        const int64_t at = tap * w.outputs * width * gemm::bytes_each(packed.view.storage);
        pack.lay(turned, depth, w.outputs, columns, to + at, width * group);
      }
    }
  });
  return packed;
}

bool can_pack_turned(const at::Tensor& weight, Layout layout, const KernelSet& kernels) {
  const bool pairs = kernels.products != Products::f32 && layout != Layout::winograd;
  return !pairs || weight.dim() == 2 || weight.size(2) == 1 || weight.size(0) % 2 == 0;
}

}  // namespace fresco::ops
