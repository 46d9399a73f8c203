#include "fresco/checkpoint/torch_tensors.h"

#include <fmt/format.h>

#include <cstring>

#include "fresco/core/checked.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

std::string about(std::string_view name) { return fmt::format("tensor \"{}\"", printable(name)); }

// Names end up in JSON, which wants UTF-8 (RFC 3629).
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (length == 0 || text.size() - i < length) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

const PickleValue& state_dictionary(const Pickle& pickle, std::string_view where) {
  const PickleValue& root = pickle.at(pickle.root);
  if (root.kind != PickleKind::dictionary)
    throw FormatError(where, "expected a dictionary of tensors, got another kind of object");
  const PickleValue* nested = pickle.find(root, "state_dict");
  return nested != nullptr && nested->kind == PickleKind::dictionary ? *nested : root;
}

ElementType type_of(const PickledTensor& tensor, const Pickle& pickle, std::string_view name, std::string_view where) {
  const auto storage_type = pickle.storages[tensor.storage].type;
  if (!tensor.type && !storage_type) throw FormatError(where, fmt::format("{} has no element type", about(name)));
  if (tensor.type && storage_type && *tensor.type != *storage_type)
    throw FormatError(where, fmt::format("{}: its element type differs from its storage's", about(name)));
  return tensor.type ? *tensor.type : *storage_type;
}

bool is_contiguous(const Shape& shape, const Shape& strides) {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

// Distance in elements from the first element to the last; nothing when it overflows or a stride is negative.
std::optional<int64_t> span_of(const Shape& shape, const Shape& strides) {
  int64_t span = 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    const auto step = strides[i] < 0 ? std::nullopt : checked_mul<int64_t>(shape[i] - 1, strides[i]);
    const auto sum = step ? checked_add<int64_t>(span, *step) : std::nullopt;
    if (!sum) return std::nullopt;
    span = *sum;
  }
  return span;
}

template <size_t Size>
void gather_row(std::byte* to, const std::byte* from, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * Size, from + i * stride * static_cast<int64_t>(Size), Size);
}

void gather_row(size_t size, std::byte* to, const std::byte* from, int64_t count, int64_t stride) {
  switch (size) {
    case 1:
      return gather_row<1>(to, from, count, stride);
    case 2:
      return gather_row<2>(to, from, count, stride);
    case 4:
      return gather_row<4>(to, from, count, stride);
    default:
      return gather_row<8>(to, from, count, stride);
  }
}

// Row-major order out of any order. Shape and strides have at least one dimension, and no side is 0.
void gather(const TensorInfo& info, const Shape& strides, const std::byte* from, std::byte* to) {
  const size_t size = size_in_bytes(info.type), last = info.shape.size() - 1;
  const int64_t row = info.shape[last];
  Shape index(info.shape.size(), 0);
  int64_t offset = 0;
  for (const std::byte* const end = to + info.bytes(); to < end; to += row * static_cast<int64_t>(size)) {
    gather_row(size, to, from + offset * static_cast<int64_t>(size), row, strides[last]);
    for (size_t d = last; d-- > 0;) {
      offset += strides[d];
      if (++index[d] < info.shape[d]) break;
      offset -= strides[d] * info.shape[d];
      index[d] = 0;
    }
  }
}

}  // namespace

std::vector<NamedTensor> state_tensors(const Pickle& pickle, std::string_view where) {
  const PickleValue& state = state_dictionary(pickle, where);
  std::vector<NamedTensor> named;
  for (size_t i = 0; i + 1 < state.items.size(); i += 2) {
    const PickleValue& key = pickle.at(state.items[i]);
    const PickleValue& value = pickle.at(state.items[i + 1]);
    if (key.kind != PickleKind::text || value.kind != PickleKind::tensor) continue;
    if (!is_utf8(key.text)) throw FormatError(where, "a tensor's name is not UTF-8");
    named.push_back({std::string(key.text), static_cast<size_t>(value.number)});
  }
  if (named.empty()) throw FormatError(where, "holds no named tensors, neither at its top nor under \"state_dict\"");
  return named;
}

TorchTensors::TorchTensors(std::shared_ptr<const MappedFile> file, std::shared_ptr<const ZipArchive> archive,
                           const Pickle& pickle, std::vector<StoredBytes> storages)
    : file_(std::move(file)), archive_(std::move(archive)), storages_(std::move(storages)) {
  const std::string where = place();
  std::vector<TensorInfo> infos;
  std::vector<Window> windows;
  for (auto& named : state_tensors(pickle, where)) {
    const PickledTensor& tensor = pickle.tensors[named.tensor];
    const ElementType type = type_of(tensor, pickle, named.name, where);
    TensorInfo info{std::move(named.name), type, tensor.shape};
    windows.push_back(window_of(info, tensor, pickle));
    infos.push_back(std::move(info));
  }
  for (const size_t i : adopt(std::move(infos), where)) windows_.push_back(std::move(windows[i]));
}

TorchTensors::Window TorchTensors::window_of(const TensorInfo& info, const PickledTensor& tensor,
                                             const Pickle& pickle) const {
  const auto fail = [&](const std::string& problem) {
    throw FormatError(place(), fmt::format("{}: {}", about(info.name), problem));
  };
  const PickledStorage& storage = pickle.storages[tensor.storage];
  const auto size = static_cast<int64_t>(size_in_bytes(info.type));
  const uint64_t available = storage.type ? storage.elements : storage.elements / static_cast<uint64_t>(size);
  if (tensor.shape.size() != tensor.strides.size())
    fail(fmt::format("{} sizes but {} strides", tensor.shape.size(), tensor.strides.size()));
  const auto elements = checked_elements(tensor.shape);
  if (!elements || !checked_mul(*elements, size))
    fail(fmt::format("shape {} is negative or overflows", to_string(tensor.shape)));
  Window window{.storage = tensor.storage, .offset = 0, .reach = 0, .strides = {}};
  if (*elements == 0) return window;
  const auto span = span_of(tensor.shape, tensor.strides);
  const auto end = span && tensor.offset >= 0 ? checked_add(*span, tensor.offset) : std::nullopt;
  if (!end || static_cast<uint64_t>(*end) >= available || static_cast<uint64_t>(*elements) > available)
    fail(fmt::format("shape {} with strides {} from element {} leaves its storage of {}", to_string(tensor.shape),
                     to_string(tensor.strides), tensor.offset, available));
  window.offset = static_cast<uint64_t>(tensor.offset * size);
  window.reach = static_cast<uint64_t>((*span + 1) * size);
  if (!is_contiguous(tensor.shape, tensor.strides)) window.strides = tensor.strides;
  return window;
}

std::shared_ptr<const std::vector<std::byte>> TorchTensors::unpack(const ZipRecord& record) const {
  const std::lock_guard lock(mutex_);
  if (latest_.record != &record) {
    latest_ = {};
    latest_ = {&record, std::make_shared<const std::vector<std::byte>>(inflate(record, place()))};
  }
  return latest_.bytes;
}

TensorData TorchTensors::read(std::string_view name) const {
  const size_t i = position(name);
  const TensorInfo& info = tensors()[i];
  const Window& window = windows_[i];
  const StoredBytes& stored = storages_[window.storage];
  if (window.reach == 0) return {info, {}, nullptr};
  const auto unpacked = stored.packed != nullptr ? unpack(*stored.packed) : nullptr;
  const auto bytes =
      (unpacked ? std::span<const std::byte>(*unpacked) : stored.bytes).subspan(window.offset, window.reach);
  if (window.strides.empty()) {
    TensorData data = aligned(info, bytes);
    if (!data.owned) data.owned = unpacked;
    return data;
  }
  auto ordered = std::make_shared<std::vector<std::byte>>(info.bytes());
  gather(info, window.strides, bytes.data(), ordered->data());
  return {info, *ordered, ordered};
}

void TorchTensors::release(std::string_view name) const {
  const Window& window = windows_[position(name)];
  const StoredBytes& stored = storages_[window.storage];
  if (stored.packed == nullptr) return file_->release(stored.bytes.subspan(window.offset, window.reach));
  file_->release(stored.packed->packed);
  const std::lock_guard lock(mutex_);
  if (latest_.record == stored.packed) latest_ = {};
}

}  // namespace fresco::checkpoint
