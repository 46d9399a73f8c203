#include "fresco/ops/gemm/packed_weights.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <algorithm>
#include <vector>

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
  const bool matrix = layout == Layout::matrix || layout == Layout::gated;
  if (products == Products::i8 && matrix) return Storage::i8;
  if (products != Products::f32 && layout != Layout::winograd) return Storage::bf16;
  return plain.scalar_type() == at::kHalf ? Storage::f16 : Storage::f32;
}

at::ScalarType type_of(Storage storage) {
  switch (storage) {
    case Storage::f32:
      return at::kFloat;
    case Storage::f16:
      return at::kHalf;
    case Storage::bf16:
      return at::kBFloat16;
    case Storage::i8:
      break;
  }
  return at::kChar;
}

// Values of one output, plain [channels][area], and its column of a panel, [depth / Group][taps][width][Group].
template <typename T, int64_t Group>
struct Column {
  const Shape& shape;
  T* plain;
  T* packed;
  int64_t width;

  template <bool ToPanels>
  void move(int64_t begin, int64_t end) const {  // depths
    if (Group == 1 && shape.channels == shape.depth)
      return move_in_order<ToPanels>(begin * shape.taps, end * shape.taps);
    const int64_t area = shape.depth / shape.channels * shape.taps;
    int64_t channel = begin % shape.channels, tap = begin / shape.channels;
    for (int64_t k = begin; k < end; ++k) {
      T* here = plain + channel * area + tap;
      T* there = packed + k / Group * shape.taps * width * Group + k % Group;
      for (int64_t t = 0; t < shape.taps; ++t) move_one<ToPanels>(here[t], there[t * width * Group]);
      if (++channel == shape.channels) {
        channel = 0;
        ++tap;
      }
    }
  }

 private:
  template <bool ToPanels>
  void move_in_order(int64_t begin, int64_t end) const {
    for (int64_t i = begin; i < end; ++i) move_one<ToPanels>(plain[i], packed[i * width]);
  }
  template <bool ToPanels>
  static void move_one(T& here, T& there) {
    ToPanels ? there = here : here = there;
  }
};

// Copies plain [outputs][channels][area] <-> panels [panels][depth / Group][taps][panel][Group]; T is moved as it is.
template <typename T, int64_t Group, bool ToPanels>
void move_panels(const PackedWeights& packed, const Shape& shape, T* plain) {
  constexpr int64_t kDepths = 64;  // at once, for all columns: they fill whole cache lines of the panel
  const gemm::Packed& view = packed.view;
  auto* data = static_cast<T*>(packed.data.mutable_data_ptr());
  parallel_for(panels_of(packed.layout, shape.outputs, view.panel), 0, [&](int64_t panel, std::byte*) {
    T* out = data + panel * view.padded_depth() * shape.taps * view.panel;
    for (int64_t begin = 0; begin < shape.depth; begin += kDepths) {
      const int64_t end = std::min(shape.depth, begin + kDepths);
      for (int64_t column = 0; column < view.panel; ++column) {
        const int64_t row = row_at(packed.layout, shape.outputs, view.panel, panel, column);
        if (row < 0) continue;
        const Column<T, Group> values{shape, plain + row * shape.depth * shape.taps, out + column * Group, view.panel};
        values.template move<ToPanels>(begin, end);
      }
    }
  });
}

template <bool ToPanels>
void move_any(const PackedWeights& packed, const Shape& shape, const at::Tensor& plain) {
  void* values = plain.mutable_data_ptr();
  switch (packed.view.storage) {
    case Storage::f32:
      return move_panels<float, 1, ToPanels>(packed, shape, static_cast<float*>(values));
    case Storage::f16:
      return move_panels<uint16_t, 1, ToPanels>(packed, shape, static_cast<uint16_t*>(values));
    case Storage::bf16:
      return move_panels<uint16_t, 2, ToPanels>(packed, shape, static_cast<uint16_t*>(values));
    case Storage::i8:
      return move_panels<int8_t, 4, ToPanels>(packed, shape, static_cast<int8_t*>(values));
  }
}

// Kernels stream through panels: large pages save them a look-up every 4 KiB, where the system gives any.
at::Tensor in_large_pages(int64_t elements, at::ScalarType type) {
  constexpr uintptr_t kPage = 4096;
  auto data = empty({elements}, at::dtype(type));
  const auto begin = (reinterpret_cast<uintptr_t>(data.mutable_data_ptr()) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<uintptr_t>(data.mutable_data_ptr()) + data.nbytes()) / kPage * kPage;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // before it is touched
  return data;
}

// Rows of the plain matrix in the order of the packed columns; -1 for padding.
std::vector<int64_t> rows_in_order(const PackedWeights& packed) {
  const gemm::Packed& view = packed.view;
  std::vector<int64_t> rows;
  for (int64_t panel = 0; panel < panels_of(packed.layout, view.outputs, view.panel); ++panel) {
    for (int64_t c = 0; c < view.panel; ++c) rows.push_back(row_at(packed.layout, view.outputs, view.panel, panel, c));
  }
  return rows;
}

// Rounds each output's weights to 255 steps of its own; returns them [outputs, depth] int8 and fills scales and offsets.
at::Tensor round_to_int8(const at::Tensor& plain, PackedWeights& packed) {
  const auto values = plain.to(at::kFloat);
  const auto largest = at::amax(values.abs(), {1}).clamp_min(1e-30);
  const auto steps = (values / (largest / 127).unsqueeze(1)).round().to(at::kChar).contiguous();
  const auto rows = rows_in_order(packed);
  const auto columns = static_cast<int64_t>(rows.size());
  const int64_t cut = gemm::cut_of(packed.view.depth, Storage::i8), cuts = (packed.view.depth + cut - 1) / cut;
  packed.scales = at::zeros({columns}, at::kFloat);
  packed.offsets = at::zeros({cuts, columns}, at::kInt);
  for (int64_t i = 0; i < cuts; ++i) {
    const int64_t n = std::min(cut, packed.view.depth - i * cut);
    const auto sums = (steps.narrow(1, i * cut, n).sum(1, /*keepdim=*/false, at::kInt) * gemm::kZero).contiguous();
    for (int64_t c = 0; c < columns; ++c) {
      if (rows[c] >= 0) packed.offsets.mutable_data_ptr<int32_t>()[i * columns + c] = sums.data_ptr<int32_t>()[rows[c]];
    }
  }
  for (int64_t c = 0; c < columns; ++c) {
    if (rows[c] >= 0) packed.scales.mutable_data_ptr<float>()[c] = largest.data_ptr<float>()[rows[c]] / 127;
  }
  packed.view.scales = packed.scales.const_data_ptr<float>();
  packed.view.offsets = packed.offsets.const_data_ptr<int32_t>();
  return steps;
}

// What round_to_int8 kept of the values.
at::Tensor from_int8(const PackedWeights& packed, const at::Tensor& steps) {
  auto scales = at::zeros({packed.view.outputs}, at::kFloat);
  const auto rows = rows_in_order(packed);
  for (size_t c = 0; c < rows.size(); ++c) {
    if (rows[c] >= 0) scales.mutable_data_ptr<float>()[rows[c]] = packed.view.scales[c];
  }
  return steps.to(at::kFloat) * scales.unsqueeze(1);
}

KernelSet kernels_for(Isa isa, Products products) {
  switch (isa) {
    case Isa::avx2:
      return {isa,
              Products::f32,
              &gemm::kAvx2,
              nullptr,
              &winograd::kAvx2Float4x4,
              &winograd::kAvx2Float4x4,
              &winograd::kAvx2Float4x4Doubled,
              &outer::kAvx2,
              &winograd::kAvx2Gradient,
              &gemm::kAvx2Pack,
              &gemm::kAvx2Pack};
    case Isa::avx512:
      return {isa,
              Products::f32,
              &gemm::kAvx512,
              nullptr,
              &winograd::kAvx512Float4x4,
              &winograd::kAvx512Float4x4,
              &winograd::kAvx512Float4x4Doubled,
              &outer::kAvx512,
              &winograd::kAvx512Gradient,
              &gemm::kAvx512Pack,
              &gemm::kAvx512Pack};
    case Isa::avx512_bf16:
      if (products == Products::f32) return kernels_for(Isa::avx512, products);
      return {isa,
              products,
              &gemm::kAvx512Bf16,
              &gemm::kAvx512Int8,
              &winograd::kAvx512Bf16Of2x2,
              &winograd::kAvx512Bf16Of4x4,
              &winograd::kAvx512Bf16Of4x4Doubled,
              &outer::kAvx512Bf16,
              &winograd::kAvx512Bf16Gradient,
              &gemm::kAvx512Bf16Pack,
              &gemm::kAvx512Pack};
    case Isa::amx: {
      if (products == Products::f32) return kernels_for(Isa::avx512, products);
      auto kernels = kernels_for(Isa::avx512_bf16, products);  // Winograd's convolutions have no tiles of their own
      kernels.isa = isa;
      kernels.matrix = &gemm::kAmxBf16;
      kernels.matrix_int8 = &gemm::kAmxInt8;
      return kernels;
    }
    case Isa::none:
      break;
  }
  return {};
}

}  // namespace

int64_t packed_elements(at::IntArrayRef plain, Layout layout, const gemm::Packed& view) {
  const Shape shape = shape_of(plain, layout);
  return panels_of(layout, shape.outputs, view.panel) * view.padded_depth() * shape.taps * view.panel;
}

KernelSet current_kernels() { return kernels_for(current_isa(), current_products()); }

PackedWeights pack(const at::Tensor& plain, Layout layout, const KernelSet& kernels) {
  const Shape shape = shape_of(plain.sizes(), layout);
  const Storage storage = storage_for(plain, layout, kernels.products);
  PackedWeights packed{.layout = layout};
  packed.view = {.storage = storage,
                 .outputs = shape.outputs,
                 .depth = shape.depth,
                 .panel = layout == Layout::winograd ? kernels.winograd->panel : kernels.matrix->panel};
  const int64_t elements = packed_elements(plain.sizes(), layout, packed.view);
  packed.data = in_large_pages(elements, type_of(storage));
  if (elements != plain.numel()) packed.data.zero_();  // padding
  packed.view.data = packed.data.const_data_ptr();
  const bool rounded = storage == Storage::i8;
  move_any<true>(packed, shape, rounded ? round_to_int8(plain, packed) : contiguous(to_type(plain, type_of(storage))));
  return packed;
}

bool serves(const PackedWeights& packed, const KernelSet& kernels) {
  if (kernels.isa == Isa::none) return false;
  const bool winograd = packed.layout == Layout::winograd;
  if (packed.view.panel != (winograd ? kernels.winograd->panel : kernels.matrix->panel)) return false;
  const Storage storage = packed.view.storage;
  const auto half_or_float = at::empty({0}, storage == Storage::f16 ? at::kHalf : at::kFloat);
  return storage == storage_for(half_or_float, packed.layout, kernels.products);
}

at::Tensor unpack(const PackedWeights& packed, at::IntArrayRef shape) {
  auto plain = at::empty(shape, packed.data.options());
  move_any<false>(packed, shape_of(shape, packed.layout), plain);
  if (packed.view.storage == Storage::i8) return from_int8(packed, plain);
  return packed.view.storage == Storage::bf16 ? plain.to(at::kFloat) : plain;
}

PackedWeights LazyWeights::packed(const KernelSet& kernels) const {
  if (ready_) return ready_();
  const auto pack_values = [&](const at::Tensor& plain) {
    const Span span("pack weights", name(kernels.isa), [&] { return elementwise_cost(plain, 0); });
    return pack(plain, layout_, kernels);
  };
  std::unique_lock lock(mutex_);
  if (packed_.data.defined()) return packed_;
  const bool matrix = layout_ == Layout::matrix || layout_ == Layout::gated;
  if (!plain_.held() && !(matrix && kernels.products == Products::i8)) {
    const StoredTensor stored = plain_;
    lock.unlock();
    return stored.use(pack_values);
  }
  const ScopedArena outlives_the_drawing(nullptr);
  packed_ = plain_.use(pack_values);
  plain_ = {};
  return packed_;
}

at::Tensor LazyWeights::plain() const {
  const auto copied = [](const at::Tensor& values) { return empty(values.sizes(), values.options()).copy_(values); };
  if (ready_) return unpack(ready_(), shape_);
  const std::lock_guard lock(mutex_);
  if (packed_.data.defined()) return unpack(packed_, shape_);
  return plain_.held() ? plain_.tensor() : plain_.use(copied);
}

void LazyWeights::assign(at::Tensor plain) {
  plain_ = std::move(plain);
  packed_ = {};
  ready_ = {};
}

bool can_pack(const StoredTensor& plain) {
  const auto type = plain.scalar_type();
  const bool readable = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  if (!plain.held()) return readable;
  return readable && plain.tensor().is_cpu() && !plain.tensor().requires_grad();
}

}  // namespace fresco::ops
