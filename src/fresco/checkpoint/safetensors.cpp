#include "fresco/checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "fresco/checkpoint/element_types.h"
#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/json.h"

namespace fresco::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor files are little endian and used in place");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kLargestHeader = 100'000'000;  // the limit of the format's own reader
constexpr std::string_view kMetadata = "__metadata__";

std::string about(std::string_view name) { return fmt::format("tensor \"{}\"", printable(name)); }

std::string_view header_text(std::span<const std::byte> file, std::string_view where) {
  if (file.size() < kLengthBytes)
    throw FormatError(where, fmt::format("truncated: expected at least {} bytes, got {}", kLengthBytes, file.size()));
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kLargestHeader)
    throw FormatError(where, fmt::format("header length: expected at most {}, got {}", kLargestHeader, length));
  if (length > file.size() - kLengthBytes)
    throw FormatError(where,
                      fmt::format("header of {} bytes runs past the end of the file ({} bytes)", length, file.size()));
  return {reinterpret_cast<const char*>(file.data()) + kLengthBytes, static_cast<size_t>(length)};
}

const Json& member(const Json& entry, const char* key, std::string_view name, std::string_view where) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw FormatError(where, fmt::format("{} has no \"{}\"", about(name), key));
  return *found;
}

ElementType read_type(const Json& entry, std::string_view name, std::string_view where) {
  const Json& word = member(entry, "dtype", name, where);
  const auto text = word.is_string() ? word.get<std::string>() : std::string(word.type_name());
  const auto type = word.is_string() ? element_type(text) : std::nullopt;
  if (!type)
    throw FormatError(where, fmt::format("{}: unknown element type \"{}\"; known: {}", about(name), printable(text),
                                         known_element_types()));
  return *type;
}

Shape read_shape(const Json& entry, std::string_view name, std::string_view where) {
  const Json& sides = member(entry, "shape", name, where);
  if (!sides.is_array())
    throw FormatError(where, fmt::format("{}: expected a list as shape, got {}", about(name), sides.type_name()));
  Shape shape;
  shape.reserve(sides.size());
  for (const Json& side : sides) {
    const bool fits = side.is_number_unsigned() && side.get<uint64_t>() <= INT64_MAX;
    if (!fits)
      throw FormatError(where, fmt::format("{}: expected sizes from 0 to 2^63 - 1 in its shape, got {}", about(name),
                                           side.is_number() ? side.dump() : side.type_name()));
    shape.push_back(side.get<int64_t>());
  }
  return shape;
}

uint64_t checked_bytes(const TensorInfo& info, std::string_view where) {
  const auto elements = checked_elements(info.shape);
  const auto bytes =
      elements ? checked_mul<int64_t>(*elements, static_cast<int64_t>(size_in_bytes(info.type))) : std::nullopt;
  if (!bytes)
    throw FormatError(where, fmt::format("{}: the product of shape {} overflows", about(info.name),
                                         printable(to_string(info.shape))));
  return static_cast<uint64_t>(*bytes);
}

struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
};

Extent read_extent(const Json& entry, const TensorInfo& info, uint64_t data_size, std::string_view where) {
  const Json& offsets = member(entry, "data_offsets", info.name, where);
  const bool pair =
      offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned();
  if (!pair) throw FormatError(where, fmt::format("{}: expected two offsets that are not negative", about(info.name)));
  const Extent extent{offsets[0].get<uint64_t>(), offsets[1].get<uint64_t>()};
  if (extent.begin > extent.end)
    throw FormatError(
        where, fmt::format("{}: its end {} lies before its begin {}", about(info.name), extent.end, extent.begin));
  if (extent.end > data_size)
    throw FormatError(where,
                      fmt::format("{}: ends at byte {} of {} (truncated?)", about(info.name), extent.end, data_size));
  const uint64_t expected = checked_bytes(info, where);
  if (extent.end - extent.begin != expected)
    throw FormatError(where, fmt::format("{}: expected {} bytes for {} {}, got {}", about(info.name), expected,
                                         name(info.type), printable(to_string(info.shape)), extent.end - extent.begin));
  return extent;
}

// Tensors must tile the data without holes or overlaps.
void check_tiling(std::vector<PlacedTensor>& tensors, std::span<const std::byte> data, std::string_view where) {
  std::ranges::sort(tensors, {}, [](const PlacedTensor& t) { return std::pair(t.bytes.data(), t.bytes.size()); });
  const std::byte* next = data.data();
  for (const auto& tensor : tensors) {
    const auto begin = tensor.bytes.data() - data.data();
    if (tensor.bytes.data() < next)
      throw FormatError(where, fmt::format("{} overlaps the one before it at byte {}", about(tensor.info.name), begin));
    if (tensor.bytes.data() > next)
      throw FormatError(where,
                        fmt::format("hole of {} bytes before {}", tensor.bytes.data() - next, about(tensor.info.name)));
    next = tensor.bytes.data() + tensor.bytes.size();
  }
  const auto left = data.data() + data.size() - next;
  if (left != 0) throw FormatError(where, fmt::format("{} bytes after the last tensor belong to none", left));
}

class SafetensorsFile final : public ListedTensors {
 public:
  explicit SafetensorsFile(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
    auto placed = parse_safetensors(file_->bytes(), place());
    std::vector<TensorInfo> infos;
    infos.reserve(placed.size());
    for (auto& tensor : placed) infos.push_back(std::move(tensor.info));
    for (const size_t i : adopt(std::move(infos), place())) bytes_.push_back(placed[i].bytes);
  }

  TensorData read(std::string_view name) const override {
    const size_t i = position(name);
    return aligned(tensors()[i], bytes_[i]);
  }
  void release(std::string_view name) const override { file_->release(bytes_[position(name)]); }
  std::string place(std::string_view = {}) const override { return file_->path().string(); }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<std::span<const std::byte>> bytes_;  // parallel to tensors()
};

}  // namespace

std::vector<PlacedTensor> parse_safetensors(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text = header_text(file, where);
  const auto data = file.subspan(kLengthBytes + text.size());
  const Json header = parse_json(text, where);
  if (!header.is_object())
    throw FormatError(where, fmt::format("header: expected a JSON object, got {}", header.type_name()));
  std::vector<PlacedTensor> tensors;
  tensors.reserve(header.size());
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) continue;
    if (!entry.is_object())
      throw FormatError(where, fmt::format("{}: expected an object, got {}", about(name), entry.type_name()));
    TensorInfo info{name, read_type(entry, name, where), read_shape(entry, name, where)};
    const Extent extent = read_extent(entry, info, data.size(), where);
    tensors.push_back({std::move(info), data.subspan(extent.begin, extent.end - extent.begin)});
  }
  check_tiling(tensors, data, where);
  return tensors;
}

Metadata read_metadata(std::span<const std::byte> file, std::string_view where) {
  const Json header = parse_json(header_text(file, where), where);
  const auto texts = header.find(kMetadata);
  if (texts == header.end()) return {};
  Metadata metadata;
  for (const auto& [key, value] : texts->items()) {
    if (!value.is_string()) throw FormatError(where, fmt::format("metadata \"{}\": expected a text", printable(key)));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

std::shared_ptr<const TensorSource> open_safetensors(std::shared_ptr<const MappedFile> file) {
  return std::make_shared<SafetensorsFile>(std::move(file));
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorData>& tensors,
                       const Metadata& metadata, bool overwrite) {
  std::vector<const TensorData*> order;
  order.reserve(tensors.size());
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater{}, [](const TensorData* t) { return size_in_bytes(t->info.type); });
  Json header = Json::object();
  if (!metadata.empty()) header[std::string(kMetadata)] = metadata;
  uint64_t offset = 0;
  for (const TensorData* tensor : order) {
    const uint64_t end = offset + tensor->bytes.size();
    header[tensor->info.name] = {
        {"dtype", name(tensor->info.type)}, {"shape", tensor->info.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const TensorData* tensor : order) file.write(tensor->bytes);
  file.commit(overwrite);
}

}  // namespace fresco::checkpoint
