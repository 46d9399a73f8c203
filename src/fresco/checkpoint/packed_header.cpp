#include "fresco/checkpoint/packed_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "fresco/checkpoint/element_types.h"
#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/core/sha256.h"

namespace fresco::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "packed files are little endian and used in place");

constexpr std::array<std::string_view, 5> kLayouts{"plain", "matrix", "gated", "taps", "winograd"};
constexpr std::array<const char*, 3> kParts{"text_encoder", "unet", "vae"};
constexpr uint64_t kLargestHeader = 100'000'000;
constexpr int64_t kWidestPanel = 4096;
constexpr size_t kDigest = 32;  // bytes of a SHA-256

std::string about(const PackedTensor& tensor) { return fmt::format("tensor \"{}\"", printable(tensor.names.front())); }

// Values of one panel's column that stand side by side.
int64_t group_of(ElementType storage) { return storage == ElementType::bf16 ? 2 : storage == ElementType::i8 ? 4 : 1; }

int64_t divided_up(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

const Json& member(const Json& object, const char* key, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end()) throw FormatError(where, fmt::format("the header has no \"{}\"", key));
  return *found;
}

const Json& object_at(const Json& object, const char* key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_object()) throw_json_type(key, value, where, "an object");
  return value;
}

uint64_t number_at(const Json& object, const char* key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_number_unsigned()) throw_json_type(key, value, where, "an integer from 0");
  return value.get<uint64_t>();
}

std::string text_at(const Json& object, const char* key, std::string_view where) {
  const Json& value = member(object, key, where);
  if (!value.is_string()) throw_json_type(key, value, where, "a string");
  return value.get<std::string>();
}

Blob read_blob(const Json& object, std::string_view where) {
  return {number_at(object, "offset", where), number_at(object, "bytes", where), text_at(object, "sha256", where)};
}

Json blob_json(const Blob& blob) { return {{"offset", blob.offset}, {"bytes", blob.bytes}, {"sha256", blob.sha256}}; }

std::vector<std::string> read_names(const Json& entry, std::string_view where) {
  auto names = json_value<std::vector<std::string>>(entry, "names", {}, where);
  if (names.empty()) throw FormatError(where, "the header holds weights without names");
  return names;
}

Shape read_shape(const Json& entry, std::string_view where) {
  auto shape = json_value<std::vector<int64_t>>(entry, "shape", {}, where);
  if (std::ranges::any_of(shape, [](int64_t side) { return side < 1; }))
    throw FormatError(where, "the header holds a shape with a side under 1");
  return shape;
}

template <typename Known>
size_t word_at(const Json& entry, const char* key, const Known& known, std::string_view where) {
  const std::string word = text_at(entry, key, where);
  const auto found = std::ranges::find(known, std::string_view(word));
  if (found == known.end())
    throw FormatError(
        where, fmt::format("the header holds a {} that this version does not know: \"{}\"", key, printable(word, 40)));
  return static_cast<size_t>(found - known.begin());
}

PackedTensor read_tensor(const Json& entry, std::string_view where) {
  constexpr std::array kStorages{ElementType::f32, ElementType::f16, ElementType::bf16, ElementType::i8};
  constexpr std::array<std::string_view, 4> kStorageNames{"F32", "F16", "BF16", "I8"};
  if (!entry.is_object()) throw_json_type("tensors", entry, where, "objects");
  PackedTensor tensor;
  tensor.names = read_names(entry, where);
  tensor.shape = read_shape(entry, where);
  tensor.layout = static_cast<PackedLayout>(word_at(entry, "layout", kLayouts, where));
  tensor.storage = kStorages[word_at(entry, "storage", kStorageNames, where)];
  tensor.panel = json_value<int64_t>(entry, "panel", 0, where);
  tensor.rounded = json_value<bool>(entry, "rounded", false, where);
  tensor.data = read_blob(entry, where);
  if (entry.contains("arrays")) {
    for (const auto& [key, array] : object_at(entry, "arrays", where).items()) {
      if (!array.is_object()) throw_json_type("arrays", array, where, "objects");
      tensor.arrays[key] = read_blob(array, where);
    }
  }
  return tensor;
}

PackedPart read_part(const Json& part, std::string_view where) {
  PackedPart read{.config = object_at(part, "config", where), .tensors = {}};
  const Json& tensors = member(part, "tensors", where);
  if (!tensors.is_array()) throw_json_type("tensors", tensors, where, "a list");
  for (const Json& entry : tensors) read.tensors.push_back(read_tensor(entry, where));
  return read;
}

PackedHeader read_header(const Json& text, std::string_view where) {
  if (!text.is_object()) throw FormatError(where, fmt::format("header: expected an object, got {}", text.type_name()));
  PackedHeader header;
  header.program = text_at(text, "program", where);
  header.source = text_at(text, "source", where);
  header.weights_hash = text_at(text, "weights_hash", where);
  header.isa = text_at(text, "isa", where);
  header.products = text_at(text, "products", where);
  header.scheduler = object_at(text, "scheduler", where);
  const Json& parts = object_at(text, "parts", where);
  for (const char* part : kParts) header.parts[part] = read_part(object_at(parts, part, where), where);
  for (const auto& [file, blob] : object_at(text, "tokenizer", where).items()) {
    if (!blob.is_object()) throw_json_type("tokenizer", blob, where, "objects");
    header.tokenizer[file] = read_blob(blob, where);
  }
  if (const auto found = text.find("calibration"); found != text.end())
    header.calibration = calibration_from(*found, where);
  return header;
}

// Every blob on its alignment, inside [preamble, end), none over another.
void check_blobs(const PackedHeader& header, uint64_t end, std::string_view where) {
  std::vector<const Blob*> blobs;
  for (const auto& [name, part] : header.parts) {
    for (const PackedTensor& tensor : part.tensors) {
      blobs.push_back(&tensor.data);
      for (const auto& [key, array] : tensor.arrays) blobs.push_back(&array);
    }
  }
  for (const auto& [name, blob] : header.tokenizer) blobs.push_back(&blob);
  std::ranges::sort(blobs, {}, [](const Blob* blob) { return std::pair(blob->offset, blob->bytes); });
  uint64_t free_from = kPackedPreamble;
  for (const Blob* blob : blobs) {
    const auto behind = checked_add(blob->offset, blob->bytes);
    if (!behind || *behind > end)
      throw FormatError(
          where, fmt::format("{} bytes at {} leave the file's data, which ends at {}", blob->bytes, blob->offset, end));
    if (blob->offset % kPackedAlignment != 0)
      throw FormatError(where,
                        fmt::format("data at byte {}: expected a multiple of {}", blob->offset, kPackedAlignment));
    if (blob->offset < free_from)
      throw FormatError(where, fmt::format("data at byte {} overlap what ends at {}", blob->offset, free_from));
    free_from = *behind;
  }
}

void check_lengths(const PackedHeader& header, std::string_view where) {
  for (const auto& [name, part] : header.parts) {
    for (const PackedTensor& tensor : part.tensors) {
      if (const uint64_t expected = packed_bytes(tensor, where); tensor.data.bytes != expected)
        throw FormatError(where, fmt::format("{}: expected {} bytes for {} {} as {}, got {}", about(tensor), expected,
                                             checkpoint::name(tensor.storage), printable(to_string(tensor.shape)),
                                             checkpoint::name(tensor.layout), tensor.data.bytes));
    }
  }
}

std::vector<std::byte> digest_of(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < kDigest; ++i)
    bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16)));
  return bytes;
}

uint64_t number_in(std::span<const std::byte> file, size_t at, size_t bytes) {
  uint64_t value = 0;
  std::memcpy(&value, file.data() + at, bytes);
  return value;
}

// The text of the header, as its checksum says.
std::string_view header_text(std::span<const std::byte> file, std::string_view where) {
  if (file.size() < kPackedPreamble)
    throw FormatError(where,
                      fmt::format("truncated: expected at least {} bytes, got {}", kPackedPreamble, file.size()));
  if (std::memcmp(file.data(), kPackedMagic.data(), kPackedMagic.size()) != 0)
    throw FormatError(where, "not a packed model");
  if (const uint64_t version = number_in(file, 8, 4); version != kPackedVersion)
    throw FormatError(where,
                      fmt::format("packed format: expected version {}, got {}; `fresco pack` writes the model anew",
                                  kPackedVersion, version));
  const uint64_t offset = number_in(file, 16, 8), length = number_in(file, 24, 8);
  const auto end = checked_add(offset, length);
  if (length > kLargestHeader || offset < kPackedPreamble || !end)
    throw FormatError(where, fmt::format("broken preamble: a header of {} bytes at byte {}", length, offset));
  if (*end != file.size())
    throw FormatError(where, fmt::format("expected {} bytes, got {}{}", *end, file.size(),
                                         *end > file.size() ? " (truncated?)" : ""));
  const std::string_view text{reinterpret_cast<const char*>(file.data()) + offset, static_cast<size_t>(length)};
  if (std::memcmp(digest_of(text).data(), file.data() + 32, kDigest) != 0)
    throw FormatError(where, "the header is damaged: its checksum does not fit");
  return text;
}

Json tensor_json(const PackedTensor& tensor) {
  Json entry = blob_json(tensor.data);
  entry["names"] = tensor.names;
  entry["shape"] = tensor.shape;
  entry["layout"] = name(tensor.layout);
  entry["storage"] = name(tensor.storage);
  if (tensor.panel != 0) entry["panel"] = tensor.panel;
  if (tensor.rounded) entry["rounded"] = true;
  for (const auto& [key, array] : tensor.arrays) entry["arrays"][key] = blob_json(array);
  return entry;
}

}  // namespace

std::string_view name(PackedLayout layout) { return kLayouts[static_cast<size_t>(layout)]; }

uint64_t packed_bytes(const PackedTensor& tensor, std::string_view where) {
  const auto refuse = [&](const char* why) -> uint64_t {
    throw FormatError(where, fmt::format("{}: {} for {} in panels of {}: {}", about(tensor), name(tensor.layout),
                                         printable(to_string(tensor.shape)), tensor.panel, why));
  };
  const Shape& shape = tensor.shape;
  const bool gated = tensor.layout == PackedLayout::gated;
  const auto all = checked_elements(shape);
  const auto rows = checked_mul<int64_t>(shape.empty() ? 1 : shape[0], static_cast<int64_t>(tensor.names.size()));
  if (!all || !rows) return refuse("the product overflows");
  const int64_t each = shape.empty() ? 1 : *all / shape[0];  // values of a row
  Shape factors{*rows, each, static_cast<int64_t>(size_in_bytes(tensor.storage))};
  if (tensor.layout != PackedLayout::plain) {
    if (tensor.panel < 1 || tensor.panel > kWidestPanel) return refuse("no such panels");
    if (gated && (tensor.panel % 2 != 0 || *rows % 2 != 0)) return refuse("an odd number");
    const bool nine = tensor.layout == PackedLayout::winograd;
    if (shape.size() < 2 || shape.size() > 4) return refuse("expected 2 to 4 sizes");
    if (nine && (shape.size() != 4 || shape[2] != 3 || shape[3] != 3)) return refuse("expected 3x3");
    const int64_t columns = gated ? *rows / 2 : *rows, width = gated ? tensor.panel / 2 : tensor.panel;
    const int64_t depth = nine ? shape[1] : each, group = group_of(tensor.storage);
    if (depth > INT64_MAX - group) return refuse("the product overflows");
    factors = {divided_up(columns, width), tensor.panel, divided_up(depth, group) * group, nine ? 9 : 1,
               static_cast<int64_t>(size_in_bytes(tensor.storage))};
  }
  const auto bytes = checked_elements(factors);
  return bytes ? static_cast<uint64_t>(*bytes) : refuse("the product overflows");
}

PackedHeader parse_packed(std::span<const std::byte> file, std::string_view where) {
  const std::string_view text = header_text(file, where);
  PackedHeader header = read_header(parse_json(text, where), where);
  check_lengths(header, where);
  check_blobs(header, file.size() - text.size(), where);
  return header;
}

std::string to_text(const PackedHeader& header) {
  Json parts = Json::object(), tokenizer = Json::object();
  for (const auto& [part, content] : header.parts) {
    Json tensors = Json::array();
    for (const PackedTensor& tensor : content.tensors) tensors.push_back(tensor_json(tensor));
    parts[part] = {{"config", content.config}, {"tensors", tensors}};
  }
  for (const auto& [file, blob] : header.tokenizer) tokenizer[file] = blob_json(blob);
  Json text = {{"program", header.program},           {"source", header.source},
               {"weights_hash", header.weights_hash}, {"isa", header.isa},
               {"products", header.products},         {"parts", parts},
               {"scheduler", header.scheduler},       {"tokenizer", tokenizer}};
  if (header.calibration) text["calibration"] = to_json(*header.calibration);
  return text.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::byte> packed_preamble(std::string_view header, uint64_t offset) {
  std::vector<std::byte> preamble(kPackedPreamble);
  const auto put = [&](size_t at, const void* from, size_t bytes) { std::memcpy(preamble.data() + at, from, bytes); };
  const uint64_t length = header.size();
  put(0, kPackedMagic.data(), kPackedMagic.size());
  put(8, &kPackedVersion, sizeof kPackedVersion);
  put(16, &offset, sizeof offset);
  put(24, &length, sizeof length);
  put(32, digest_of(header).data(), kDigest);
  return preamble;
}

}  // namespace fresco::checkpoint
