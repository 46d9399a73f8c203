#include "fresco/ops/gemm/packed_weights.h"

#include <ATen/ATen.h>

#include <cstring>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

using gemm::Storage;

// depth: of the packed matrix; taps: values of one channel that stay together in it.
struct Shape {
  int64_t outputs, channels, depth, taps;
};

Shape shape_of(at::IntArrayRef plain, Layout layout) {
  const int64_t area = plain.size() == 4 ? plain[2] * plain[3] : 1;
  if (layout == Layout::winograd) return {plain[0], plain[1], plain[1], area};
  return {plain[0], plain[1], plain[1] * area, 1};
}

// Row of the plain tensor that stands in a column of a panel, or -1 for padding.
int64_t row_at(Layout layout, int64_t outputs, int64_t panel_width, int64_t panel, int64_t column) {
  if (layout != Layout::gated) {
    const int64_t row = panel * panel_width + column;
    return row < outputs ? row : -1;
  }
  const int64_t half = panel_width / 2, gates = outputs / 2;
  const int64_t row = panel * half + column % half;
  return row >= gates ? -1 : column < half ? row : gates + row;
}

int64_t panels_of(Layout layout, int64_t outputs, int64_t width) {
  const int64_t columns = layout == Layout::gated ? outputs / 2 : outputs;
  const int64_t each = layout == Layout::gated ? width / 2 : width;
  return (columns + each - 1) / each;
}

Storage storage_for(const at::Tensor& plain, Layout layout, Products products) {
  if (products == Products::bf16 && layout != Layout::winograd) return Storage::bf16;
  return plain.scalar_type() == at::kHalf ? Storage::f16 : Storage::f32;
}

at::ScalarType type_of(Storage storage) {
  return storage == Storage::f32 ? at::kFloat : storage == Storage::f16 ? at::kHalf : at::kBFloat16;
}

// Copies plain [outputs][depth][taps] <-> panels [panels][depth / group][taps][panel][group]; T is moved as it is.
template <typename T, bool ToPanels>
void move_panels(const PackedWeights& packed, const Shape& shape, T* plain) {
  const gemm::Packed& view = packed.view;
  const int64_t group = gemm::group_of(view.storage), width = view.panel;
  const int64_t area = shape.depth / shape.channels * shape.taps;
  auto* data = static_cast<T*>(packed.data.mutable_data_ptr());
  parallel_for(panels_of(packed.layout, shape.outputs, width), 0, [&](int64_t panel, std::byte*) {
    T* out = data + panel * view.padded_depth() * shape.taps * width;
    for (int64_t column = 0; column < width; ++column) {
      const int64_t row = row_at(packed.layout, shape.outputs, width, panel, column);
      if (row < 0) continue;
      T* in = plain + row * shape.depth * shape.taps;
      for (int64_t k = 0; k < shape.depth; ++k) {
        for (int64_t t = 0; t < shape.taps; ++t) {
          T& there = out[((k / group * shape.taps + t) * width + column) * group + k % group];
          const int64_t at = k % shape.channels * area + k / shape.channels + t;
          T& here = in[at];
          ToPanels ? there = here : here = there;
        }
      }
    }
  });
}

template <bool ToPanels>
void move_any(const PackedWeights& packed, const Shape& shape, const at::Tensor& plain) {
  if (packed.view.storage == Storage::f32) {
    move_panels<float, ToPanels>(packed, shape, plain.mutable_data_ptr<float>());
  } else {
    move_panels<uint16_t, ToPanels>(packed, shape, static_cast<uint16_t*>(plain.mutable_data_ptr()));
  }
}

KernelSet kernels_for(Isa isa, Products products) {
  switch (isa) {
    case Isa::avx2:
      return {isa,
              Products::f32,
              &gemm::kAvx2,
              &winograd::kAvx2Float4x4,
              &winograd::kAvx2Float4x4,
              &winograd::kAvx2Float4x4Doubled};
    case Isa::avx512:
      return {isa,
              Products::f32,
              &gemm::kAvx512,
              &winograd::kAvx512Float4x4,
              &winograd::kAvx512Float4x4,
              &winograd::kAvx512Float4x4Doubled};
    case Isa::avx512_bf16:
      if (products == Products::f32) return kernels_for(Isa::avx512, products);
      return {isa,
              products,
              &gemm::kAvx512Bf16,
              &winograd::kAvx512Bf16Of2x2,
              &winograd::kAvx512Bf16Of4x4,
              &winograd::kAvx512Bf16Of4x4Doubled};
    case Isa::none:
      break;
  }
  return {};
}

}  // namespace

KernelSet current_kernels() { return kernels_for(current_isa(), current_products()); }

PackedWeights pack(const at::Tensor& plain, Layout layout, const KernelSet& kernels) {
  const Shape shape = shape_of(plain.sizes(), layout);
  const Storage storage = storage_for(plain, layout, kernels.products);
  PackedWeights packed{.layout = layout};
  packed.view = {.storage = storage,
                 .outputs = shape.outputs,
                 .depth = shape.depth,
                 .panel = layout == Layout::winograd ? kernels.winograd->panel : kernels.matrix->panel};
  const int64_t panels = panels_of(layout, shape.outputs, packed.view.panel);
  const int64_t elements = panels * packed.view.padded_depth() * shape.taps * packed.view.panel;
  packed.data = at::zeros({elements}, type_of(storage));
  packed.view.data = packed.data.const_data_ptr();
  move_any<true>(packed, shape, plain.to(type_of(storage)).contiguous());
  return packed;
}

at::Tensor unpack(const PackedWeights& packed, at::IntArrayRef shape) {
  auto plain = at::empty(shape, packed.data.options());
  move_any<false>(packed, shape_of(shape, packed.layout), plain);
  return packed.view.storage == Storage::bf16 ? plain.to(at::kFloat) : plain;
}

const PackedWeights& LazyWeights::packed(const KernelSet& kernels) const {
  const std::lock_guard lock(mutex_);
  if (packed_.data.defined()) return packed_;
  const Span span("pack weights", name(kernels.isa), [&] { return elementwise_cost(plain_, 0); });
  const ScopedArena outlives_the_drawing(nullptr);
  packed_ = pack(plain_, layout_, kernels);
  plain_.reset();
  return packed_;
}

at::Tensor LazyWeights::plain() const {
  const std::lock_guard lock(mutex_);
  return plain_.defined() ? plain_ : unpack(packed_, shape_);
}

void LazyWeights::assign(at::Tensor plain) {
  plain_ = std::move(plain);
  packed_ = {};
}

bool can_pack(const at::Tensor& plain) {
  const auto type = plain.scalar_type();
  return plain.is_cpu() && !plain.requires_grad() && (type == at::kFloat || type == at::kHalf || type == at::kBFloat16);
}

}  // namespace fresco::ops
