#include "fresco/checkpoint/tensor_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>

#include "fresco/checkpoint/element_types.h"
#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

struct TypeRow {
  ElementType type;
  std::string_view name;
  size_t bytes;
};

// In the order of the enumeration.
constexpr std::array<TypeRow, 15> kTypes{{
    {ElementType::f64, "F64", 8},
    {ElementType::f32, "F32", 4},
    {ElementType::f16, "F16", 2},
    {ElementType::bf16, "BF16", 2},
    {ElementType::f8_e4m3, "F8_E4M3", 1},
    {ElementType::f8_e5m2, "F8_E5M2", 1},
    {ElementType::i64, "I64", 8},
    {ElementType::i32, "I32", 4},
    {ElementType::i16, "I16", 2},
    {ElementType::i8, "I8", 1},
    {ElementType::u64, "U64", 8},
    {ElementType::u32, "U32", 4},
    {ElementType::u16, "U16", 2},
    {ElementType::u8, "U8", 1},
    {ElementType::boolean, "BOOL", 1},
}};

const TypeRow& row(ElementType type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace

std::string_view name(ElementType type) { return row(type).name; }
size_t size_in_bytes(ElementType type) { return row(type).bytes; }

std::optional<ElementType> element_type(std::string_view word) {
  for (const auto& known : kTypes) {
    if (known.name == word) return known.type;
  }
  return std::nullopt;
}

std::string known_element_types() {
  std::string words;
  for (const auto& known : kTypes) words += fmt::format("{}{}", words.empty() ? "" : ", ", known.name);
  return words;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

uint64_t TensorInfo::bytes() const {
  uint64_t count = size_in_bytes(type);
  for (const int64_t side : shape) count *= static_cast<uint64_t>(side);
  return count;
}

const TensorInfo* TensorSource::find(std::string_view name) const {
  const auto& all = tensors();
  const auto found =
      std::ranges::lower_bound(all, name, {}, [](const TensorInfo& info) { return std::string_view(info.name); });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::vector<size_t> ListedTensors::adopt(std::vector<TensorInfo> infos, std::string_view where) {
  std::vector<size_t> order(infos.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(infos[i].name); });
  infos_.reserve(infos.size());
  for (const size_t i : order) {
    if (!infos_.empty() && infos_.back().name == infos[i].name)
      throw FormatError(where, fmt::format("tensor \"{}\" occurs twice", printable(infos[i].name)));
    infos_.push_back(std::move(infos[i]));
  }
  return order;
}

size_t ListedTensors::position(std::string_view name) const {
  const TensorInfo* info = find(name);
  if (info == nullptr) throw FormatError(place(), fmt::format("tensor \"{}\" is missing", printable(name)));
  return static_cast<size_t>(info - infos_.data());
}

TensorData aligned(const TensorInfo& info, std::span<const std::byte> bytes) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % size_in_bytes(info.type) == 0) return {info, bytes, nullptr};
  auto copy = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  return {info, *copy, copy};
}

}  // namespace fresco::checkpoint
