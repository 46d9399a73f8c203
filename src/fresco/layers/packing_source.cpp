#include "fresco/layers/packing_source.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace fresco::layers {
namespace {

using checkpoint::ElementType;
using checkpoint::PackedLayout;
using checkpoint::PackedTensor;

ElementType storage_of(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return ElementType::f16;
    case at::kBFloat16:
      return ElementType::bf16;
    case at::kChar:
      return ElementType::i8;
    default:
      return ElementType::f32;
  }
}

PackedLayout layout_of(ops::Layout layout) {
  switch (layout) {
    case ops::Layout::matrix:
      return PackedLayout::matrix;
    case ops::Layout::gated:
      return PackedLayout::gated;
    case ops::Layout::taps:
      return PackedLayout::taps;
    case ops::Layout::winograd:
      return PackedLayout::winograd;
  }
  return PackedLayout::plain;
}

std::span<const std::byte> bytes_of(const at::Tensor& values) {
  return {static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()};
}

}  // namespace

bool PackingSource::rounds(const std::string& name, ElementType storage) const {
  if (const auto* packed = dynamic_cast<const checkpoint::PackedTensors*>(&stored_);
      packed != nullptr && packed->find_packed(name).weights->rounded)
    return true;
  const bool narrow = storage == ElementType::bf16 || storage == ElementType::i8;
  return narrow && stored_.find(name)->type != storage;
}

PackedTensor PackingSource::describe(const std::vector<std::string>& names, at::ScalarType storage) const {
  PackedTensor tensor{.names = names, .shape = stored_.find(names.front())->shape, .storage = storage_of(storage)};
  tensor.rounded =
      std::any_of(names.begin(), names.end(), [&](const std::string& name) { return rounds(name, tensor.storage); });
  return tensor;
}

at::Tensor PackingSource::add_plain(const std::vector<std::string>& names, const at::Tensor& values) const {
  auto tensor = describe(names, values.scalar_type());
  tensor.data = writer_.add(bytes_of(values.contiguous()));
  part_.tensors.push_back(std::move(tensor));
  return at::zeros({1}).expand(values.sizes());
}

at::Tensor PackingSource::get(const std::string& name, at::IntArrayRef shape) const {
  return add_plain({name}, source_.get(name, shape));
}

at::Tensor PackingSource::stack(const std::vector<std::string>& names, at::IntArrayRef shape,
                                bool may_stay_half) const {
  return add_plain(names, source_.stack(names, shape, may_stay_half));
}

at::Tensor PackingSource::table(const std::string& name, at::IntArrayRef shape) const {
  return add_plain({name}, source_.table(name, shape));
}

ops::PackedStore PackingSource::packed(const std::vector<std::string>& names, at::IntArrayRef shape,
                                       ops::Layout layout) const {
  const auto kernels = ops::current_kernels();
  if (kernels.isa == ops::Isa::none) return {};
  const auto weights = ops::pack(source_.stack(names, shape, /*may_stay_half=*/true), layout, kernels);
  auto tensor = describe(names, weights.data.scalar_type());
  tensor.layout = layout_of(layout);
  tensor.panel = weights.view.panel;
  tensor.data = writer_.add(bytes_of(weights.data));
  if (weights.scales.defined()) tensor.arrays["scales"] = writer_.add(bytes_of(weights.scales));
  if (weights.offsets.defined()) tensor.arrays["offsets"] = writer_.add(bytes_of(weights.offsets));
  part_.tensors.push_back(std::move(tensor));
  return [] { return ops::PackedWeights(); };
}

}  // namespace fresco::layers
