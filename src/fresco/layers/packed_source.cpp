#include "fresco/layers/packed_source.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/ops/dispatch.h"

namespace fresco::layers {
namespace {

using checkpoint::Blob;
using checkpoint::ElementType;
using checkpoint::PackedFile;
using checkpoint::PackedLayout;
using checkpoint::PackedTensor;
using ops::gemm::Storage;

at::ScalarType type_of(ElementType storage) {
  switch (storage) {
    case ElementType::f16:
      return at::kHalf;
    case ElementType::bf16:
      return at::kBFloat16;
    case ElementType::i8:
      return at::kChar;
    default:
      return at::kFloat;
  }
}

Storage storage_of(ElementType storage) {
  switch (storage) {
    case ElementType::f16:
      return Storage::f16;
    case ElementType::bf16:
      return Storage::bf16;
    case ElementType::i8:
      return Storage::i8;
    default:
      return Storage::f32;
  }
}

// Not asked of plain ones.
ops::Layout layout_of(PackedLayout layout) {
  switch (layout) {
    case PackedLayout::gated:
      return ops::Layout::gated;
    case PackedLayout::taps:
      return ops::Layout::taps;
    case PackedLayout::winograd:
      return ops::Layout::winograd;
    default:
      return ops::Layout::matrix;
  }
}

// [elements], where it lies: the tensor keeps the file mapped. let_go: its pages may leave memory when it is gone.
at::Tensor view(const std::shared_ptr<const PackedFile>& file, const Blob& blob, at::ScalarType type,
                bool let_go = false) {
  const auto bytes = file->bytes(blob);
  const auto elements = static_cast<int64_t>(bytes.size() / c10::elementSize(type));
  const auto forget = [file, bytes, let_go](void*) {
    if (let_go) file->file->release(bytes);
  };
  return at::from_blob(const_cast<std::byte*>(bytes.data()), {elements}, forget, at::dtype(type));
}

// Of all tensors together.
std::vector<int64_t> whole_shape(const PackedTensor& weights) {
  auto shape = weights.shape;
  if (!shape.empty()) shape[0] *= static_cast<int64_t>(weights.names.size());
  return shape;
}

[[noreturn]] void refuse_length(const PackedFile& file, const PackedTensor& weights) {
  throw FormatError(file.place(),
                    fmt::format("tensor \"{}\": not as long as this version's kernels read it; `fresco pack` "
                                "writes the model anew",
                                printable(weights.names.front())));
}

// Scales and offsets of weights in 8-bit integers (see gemm::Packed). Other cuts of the depth show in their length.
static_assert(ops::gemm::kZero == 128, "offsets in packed files hold this: another one is another kPackedVersion");
void add_arrays(const std::shared_ptr<const PackedFile>& file, const PackedTensor& weights,
                ops::PackedWeights& packed) {
  const auto array = [&](const char* name, at::ScalarType type, int64_t elements) {
    const auto found = weights.arrays.find(name);
    if (found == weights.arrays.end() || found->second.bytes != 4 * static_cast<uint64_t>(elements))
      refuse_length(*file, weights);
    return view(file, found->second, type);
  };
  const int64_t cut = ops::gemm::cut_of(packed.view.depth, Storage::i8);
  packed.scales = array("scales", at::kFloat, packed.view.columns());
  packed.offsets = array("offsets", at::kInt, (packed.view.depth + cut - 1) / cut * packed.view.columns());
  packed.view.scales = packed.scales.const_data_ptr<float>();
  packed.view.offsets = packed.offsets.const_data_ptr<int32_t>();
}

ops::PackedWeights as_they_lie(const std::shared_ptr<const PackedFile>& file, const PackedTensor& weights,
                               bool let_go = false) {
  ops::PackedWeights packed{.data = view(file, weights.data, type_of(weights.storage), let_go),
                            .layout = layout_of(weights.layout)};
  const auto shape = whole_shape(weights);
  const int64_t rest = c10::multiply_integers(shape.begin() + 1, shape.end());
  packed.view = {.data = packed.data.const_data_ptr(),
                 .storage = storage_of(weights.storage),
                 .outputs = shape[0],
                 .depth = weights.layout == PackedLayout::winograd ? shape[1] : rest,
                 .panel = weights.panel};
  if (ops::packed_elements(shape, packed.layout, packed.view) != packed.data.numel()) refuse_length(*file, weights);
  if (packed.view.storage == Storage::i8) add_arrays(file, weights, packed);
  return packed;
}

// What a file's weights are multiplied in: one for 8-bit integers holds higher matrices, too.
ops::Products products_in(const PackedTensor& weights, ops::Products products) {
  const bool matrix = weights.layout == PackedLayout::matrix || weights.layout == PackedLayout::gated;
  if (products != ops::Products::i8 || !matrix || weights.storage == ElementType::i8) return products;
  return weights.storage == ElementType::bf16 ? ops::Products::bf16 : ops::Products::f32;
}

}  // namespace

PackedSource::PackedSource(std::shared_ptr<const checkpoint::PackedTensors> source, Preparation preparation,
                           std::function<void(uint64_t)> on_read)
    : source_(std::move(source)), preparation_(std::move(preparation)), on_read_(std::move(on_read)) {}

const PackedTensor* PackedSource::whole(const std::vector<std::string>& names, at::IntArrayRef shape) const {
  for (const auto& name : names) {
    const auto* info = source_->find(name);
    if (info == nullptr) throw FormatError(source_->place(), fmt::format("tensor \"{}\" is missing", name));
    check_shape(source_->place(), name, shape.vec(), info->shape);
  }
  const PackedTensor* weights = source_->find_packed(names.front()).weights;
  return weights->names == names ? weights : nullptr;
}

void PackedSource::report(const std::vector<std::string>& names) const {
  if (!on_read_) return;
  for (const auto& name : names) on_read_(source_->find(name)->bytes());
}

at::Tensor PackedSource::plain(const PackedTensor& weights) const {
  const auto shape = whole_shape(weights);
  if (weights.layout == PackedLayout::plain)
    return view(source_->file(), weights.data, type_of(weights.storage)).view(shape);
  const auto values = ops::unpack(as_they_lie(source_->file(), weights), shape);
  source_->release(weights.names.front());
  return values;
}

at::Tensor PackedSource::converted(const at::Tensor& plain, bool may_stay_half) const {
  const bool stay = may_stay_half && preparation_.keep_half && plain.scalar_type() == at::kHalf;
  return plain.to(preparation_.device, stay ? at::kHalf : preparation_.type);
}

at::Tensor PackedSource::get(const std::string& name, at::IntArrayRef shape) const {
  return stack({name}, shape, /*may_stay_half=*/false);
}

at::Tensor PackedSource::stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const {
  auto stacked = shape.vec();
  stacked[0] *= static_cast<int64_t>(names.size());
  const auto* weights = whole(names, shape);
  at::Tensor values;
  if (weights != nullptr) {
    values = plain(*weights);
  } else {
    std::vector<at::Tensor> parts;
    for (const auto& name : names) {
      const auto [other, index] = source_->find_packed(name);
      parts.push_back(plain(*other).narrow(0, index * other->shape[0], other->shape[0]));
    }
    values = at::cat(parts);
  }
  report(names);
  return converted(values.view(stacked), may_stay_half);
}

at::Tensor PackedSource::table(const std::string& name, at::IntArrayRef shape) const {
  const auto* weights = whole({name}, shape);
  if (weights == nullptr || weights->layout != PackedLayout::plain || !preparation_.device.is_cpu())
    return get(name, shape);
  report({name});
  return plain(*weights).view(shape);
}

ops::PackedStore PackedSource::packed(const std::vector<std::string>& names, at::IntArrayRef shape,
                                      ops::Layout layout) const {
  const auto* weights = whole(names, shape);
  if (weights == nullptr || weights->layout == PackedLayout::plain || !preparation_.device.is_cpu() ||
      preparation_.type != at::kFloat)
    return {};
  const auto ready = as_they_lie(source_->file(), *weights);
  if (ready.layout != layout || !ops::serves(ready, ops::current_kernels())) return {};
  report(names);
  return [file = source_->file(), weights, let_go = preparation_.leave_stored] {
    return as_they_lie(file, *weights, let_go);
  };
}

ops::Products PackedSource::products_of(const std::string& layer) const {
  const auto asked = products_for(preparation_, layer);
  const bool own = source_->file()->header.products == ops::name(asked);
  if (!own || source_->find(layer + ".weight") == nullptr) return asked;
  return products_in(*source_->find_packed(layer + ".weight").weights, asked);
}

std::unique_ptr<WeightSource> open_weights(std::shared_ptr<const checkpoint::TensorSource> tensors,
                                           const Preparation& preparation, std::function<void(uint64_t)> on_read) {
  if (auto packed = std::dynamic_pointer_cast<const checkpoint::PackedTensors>(tensors))
    return std::make_unique<PackedSource>(std::move(packed), preparation, std::move(on_read));
  return std::make_unique<CheckpointWeights>(std::move(tensors), preparation, std::move(on_read));
}

bool fits(const PackedFile& file, const Preparation& preparation) {
  const ops::ScopedForm form(preparation.ops, preparation.products);
  const auto kernels = ops::current_kernels();
  if (!preparation.device.is_cpu() || kernels.isa == ops::Isa::none) return file.header.isa == "none";
  if (file.header.products != ops::name(preparation.products)) return false;
  const auto alive = std::shared_ptr<const PackedFile>(std::shared_ptr<const PackedFile>(), &file);
  for (const auto& [name, part] : file.header.parts) {
    for (const auto& weights : part.tensors) {
      if (weights.layout == PackedLayout::plain) continue;
      const ops::ScopedForm raised("auto", products_in(weights, preparation.products));
      if (!ops::serves(as_they_lie(alive, weights), ops::current_kernels())) return false;
    }
  }
  return file.header.isa != "none";
}

}  // namespace fresco::layers
