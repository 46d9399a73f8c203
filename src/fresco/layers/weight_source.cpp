#include "fresco/layers/weight_source.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::layers {
namespace {

using checkpoint::ElementType;

at::ScalarType scalar_type(ElementType type, const std::string& where) {
  switch (type) {
    case ElementType::f64:
      return at::kDouble;
    case ElementType::f32:
      return at::kFloat;
    case ElementType::f16:
      return at::kHalf;
    case ElementType::bf16:
      return at::kBFloat16;
    case ElementType::f8_e4m3:
      return at::kFloat8_e4m3fn;
    case ElementType::f8_e5m2:
      return at::kFloat8_e5m2;
    case ElementType::i64:
      return at::kLong;
    case ElementType::i32:
      return at::kInt;
    case ElementType::i16:
      return at::kShort;
    case ElementType::i8:
      return at::kChar;
    case ElementType::u8:
      return at::kByte;
    case ElementType::boolean:
      return at::kBool;
    default:
      throw FormatError(where, fmt::format("element type {} cannot hold weights", checkpoint::name(type)));
  }
}

std::vector<int64_t> without_trailing_ones(std::vector<int64_t> shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  return shape;
}

}  // namespace

void check_shape(const std::string& place, const std::string& name, const std::vector<int64_t>& expected,
                 const std::vector<int64_t>& got) {
  if (without_trailing_ones(expected) == without_trailing_ones(got)) return;
  throw FormatError(place,
                    fmt::format("tensor \"{}\": {}", name,
                                expected_got("shape " + checkpoint::to_string(expected), checkpoint::to_string(got))));
}

namespace {

// The values of a tensor as they lie in its file, or in memory of their own where the file packs them.
at::Tensor as_stored(const std::shared_ptr<const checkpoint::TensorSource>& source, const std::string& name,
                     at::IntArrayRef shape) {
  auto data = source->read(name);
  const auto type = scalar_type(data.info.type, source->place(name));
  const auto keep_alive = [source, owned = std::move(data.owned)](void*) {};
  return at::from_blob(const_cast<std::byte*>(data.bytes.data()), shape, keep_alive, at::dtype(type));
}

// Types that operators read weights in; others are converted when they are read.
at::ScalarType readable(at::ScalarType type) { return type == at::kHalf || type == at::kBFloat16 ? type : at::kFloat; }

// Tensors of one shape, one below the other, in `type`.
at::Tensor read_stack(const std::shared_ptr<const checkpoint::TensorSource>& source,
                      const std::vector<std::string>& names, at::IntArrayRef shape, at::ScalarType type) {
  auto first = as_stored(source, names.front(), shape);
  if (names.size() == 1) return ops::to_type(first, type);
  auto stacked = shape.vec();
  stacked[0] *= static_cast<int64_t>(names.size());
  auto whole = ops::empty(stacked, at::dtype(type));
  for (size_t i = 0; i < names.size(); ++i)
    whole.narrow(0, static_cast<int64_t>(i) * shape[0], shape[0]).copy_(as_stored(source, names[i], shape));
  return whole;
}

}  // namespace

ops::Products products_for(const Preparation& preparation, const std::string& layer) {
  const auto products = ops::current_products();
  const bool kept = products == ops::Products::i8 && preparation.calibration && preparation.calibration->keeps(layer);
  return kept ? ops::Products::bf16 : products;
}

at::Tensor WeightSource::stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool) const {
  std::vector<at::Tensor> parts;
  for (const auto& name : names) parts.push_back(get(name, shape));
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

CheckpointWeights::CheckpointWeights(std::shared_ptr<const checkpoint::TensorSource> source, Preparation preparation,
                                     std::function<void(uint64_t)> on_read)
    : source_(std::move(source)), preparation_(std::move(preparation)), on_read_(std::move(on_read)) {}

void CheckpointWeights::require(const std::string& name, at::IntArrayRef shape) const {
  const auto* info = source_->find(name);
  if (info == nullptr) throw FormatError(source_->place(name), fmt::format("tensor \"{}\" is missing", name));
  check_shape(source_->place(name), name, shape.vec(), info->shape);
}

void CheckpointWeights::read_into(const std::string& name, const at::Tensor& place) const {
  const auto data = source_->read(name);
  const auto type = scalar_type(data.info.type, source_->place(name));
  place.copy_(at::from_blob(const_cast<std::byte*>(data.bytes.data()), place.sizes(), at::dtype(type)));
  source_->release(name);
  if (on_read_) on_read_(data.bytes.size());
}

at::Tensor CheckpointWeights::get(const std::string& name, at::IntArrayRef shape) const {
  require(name, shape);
  auto whole = at::empty(shape, at::dtype(preparation_.type).device(preparation_.device));
  read_into(name, whole);
  return whole;
}

at::Tensor CheckpointWeights::stack(const std::vector<std::string>& names, at::IntArrayRef shape,
                                    bool may_stay_half) const {
  for (const auto& name : names) require(name, shape);
  const auto half = [&](const std::string& name) { return source_->find(name)->type == ElementType::f16; };
  const bool keep = may_stay_half && preparation_.keep_half && std::all_of(names.begin(), names.end(), half);
  auto stacked = shape.vec();
  stacked[0] *= static_cast<int64_t>(names.size());
  auto whole = at::empty(stacked, at::dtype(keep ? at::kHalf : preparation_.type).device(preparation_.device));
  for (size_t i = 0; i < names.size(); ++i)
    read_into(names[i], whole.narrow(0, static_cast<int64_t>(i) * shape[0], shape[0]));
  return whole;
}

void CheckpointWeights::tell(const std::string& name) const {
  if (on_read_) on_read_(source_->find(name)->bytes());
}

ops::StoredTensor CheckpointWeights::stored(const std::vector<std::string>& names, at::IntArrayRef shape) const {
  if (!preparation_.leave_stored) return stack(names, shape, /*may_stay_half=*/true);
  for (const auto& name : names) require(name, shape);
  const auto type = readable(scalar_type(source_->find(names.front())->type, source_->place(names.front())));
  auto stacked = shape.vec();
  stacked[0] *= static_cast<int64_t>(names.size());
  for (const auto& name : names) tell(name);
  const auto read = [source = source_, names, one = shape.vec(), type] { return read_stack(source, names, one, type); };
  const auto release = [source = source_, names] {
    for (const auto& name : names) source->release(name);
  };
  return {std::move(stacked), type, read, release};
}

at::Tensor CheckpointWeights::table(const std::string& name, at::IntArrayRef shape) const {
  if (!preparation_.leave_stored) return get(name, shape);
  require(name, shape);
  const auto type = scalar_type(source_->find(name)->type, source_->place(name));
  if (readable(type) != type) return get(name, shape);
  tell(name);
  return as_stored(source_, name, shape);
}

ops::Products CheckpointWeights::products_of(const std::string& layer) const {
  return products_for(preparation_, layer);
}

at::Tensor ParameterMap::get(const std::string& name, at::IntArrayRef shape) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw FormatError("parameters", fmt::format("tensor \"{}\" is missing", name));
  check_shape("parameters", name, shape.vec(), found->second.sizes().vec());
  return found->second.view(shape);
}

void WeightIndex::add(const std::string& name, std::vector<int64_t> shape, Assign assign) {
  entries_.emplace(name, Entry{std::move(shape), std::move(assign)});
}

void WeightIndex::replace(const std::string& name, const at::Tensor& value) const {
  const auto found = entries_.find(name);
  if (found == entries_.end())
    throw InputError("replace", fmt::format("the model has no tensor \"{}\"", printable(name)));
  check_shape("replace", name, found->second.shape, value.sizes().vec());
  found->second.assign(value.view(found->second.shape));
}

}  // namespace fresco::layers
