#include "fresco/layers/weight_source.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/core/error.h"

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

void check_shape(const std::string& place, const std::string& name, const std::vector<int64_t>& expected,
                 const std::vector<int64_t>& got) {
  if (without_trailing_ones(expected) == without_trailing_ones(got)) return;
  throw FormatError(place,
                    fmt::format("tensor \"{}\": {}", name,
                                expected_got("shape " + checkpoint::to_string(expected), checkpoint::to_string(got))));
}

}  // namespace

CheckpointWeights::CheckpointWeights(std::shared_ptr<const checkpoint::TensorSource> source, Preparation preparation,
                                     std::function<void(uint64_t)> on_read)
    : source_(std::move(source)), preparation_(std::move(preparation)), on_read_(std::move(on_read)) {}

at::Tensor CheckpointWeights::get(const std::string& name, at::IntArrayRef shape) const {
  const auto* info = source_->find(name);
  if (info == nullptr) throw FormatError(source_->place(name), fmt::format("tensor \"{}\" is missing", name));
  check_shape(source_->place(name), name, shape.vec(), info->shape);
  const auto data = source_->read(name);
  const auto stored = at::from_blob(const_cast<std::byte*>(data.bytes.data()), shape,
                                    at::dtype(scalar_type(info->type, source_->place(name))));
  // Bytes of a file need not be aligned for their type; a copy is made in any case, of bytes when the type stays.
  auto ready = stored.scalar_type() == preparation_.type ? stored.clone() : stored.to(preparation_.type);
  if (!preparation_.device.is_cpu()) ready = ready.to(preparation_.device);
  source_->release(name);
  if (on_read_) on_read_(data.bytes.size());
  return ready;
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
