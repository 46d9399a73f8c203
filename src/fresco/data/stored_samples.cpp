#include "fresco/data/stored_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fresco/core/ascii.h"
#include "fresco/core/error.h"
#include "fresco/core/unicode.h"

namespace fresco::data {
namespace {

constexpr uint64_t kLargestText = 1 << 20;
constexpr uint64_t kHead = 4096;  // holds the size of nearly every picture
constexpr std::array<const char*, 4> kExtensions = {".png", ".jpg", ".jpeg", ".webp"};
constexpr std::array<const char*, 2> kCaptionKeys = {"caption", "text"};

std::string whole(const SliceReader& file, const Slice& slice, const std::string& where) {
  if (slice.size > kLargestText)
    throw FormatError(where, fmt::format("expected text of at most 1 MiB, got {} bytes", slice.size));
  return file.read(slice.offset, slice.size);
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  return first == text.npos ? std::string()
                            : std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

}  // namespace

image::PictureSize stored_picture_size(const SliceReader& file, const Slice& slice, const std::string& where) {
  if (slice.size == 0) throw FormatError(where, expected_got("a PNG, JPEG or WebP picture", "an empty file"));
  for (uint64_t count = std::min(kHead, slice.size);; count = std::min(16 * count, slice.size)) {
    const std::string head = file.read(slice.offset, count);
    if (const auto size = image::picture_size(std::as_bytes(std::span(head)), where)) {
      image::check_size(size->width, size->height, where);
      return *size;
    }
    if (count == slice.size) throw FormatError(where, "expected a whole picture, got one that ends before its size");
  }
}

SliceReader reader_of(const std::vector<std::filesystem::path>& files, const Slice& slice) {
  try {
    return SliceReader(files.at(slice.file));
  } catch (const InputError& error) {
    throw FormatError(error.where(), "gone since the data set was opened");
  }
}

std::string stored_text(const SliceReader& file, const Slice& slice, const std::string& where) {
  return trimmed(encode_utf8(decode_utf8(whole(file, slice, where))));
}

Json stored_json(const SliceReader& file, const Slice& slice, const std::string& where) {
  return parse_json(whole(file, slice, where), where);
}

int64_t characters(std::string_view utf8) {
  return std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool names_picture(std::string_view name) {
  const std::string whole = lower_ascii(std::string(name));
  return std::ranges::any_of(kExtensions, [&](const char* extension) { return whole.ends_with(extension); });
}

std::string stored_caption(const std::vector<std::filesystem::path>& files, const StoredSample& sample) {
  if (sample.caption) return *sample.caption;
  if (sample.text) return stored_text(reader_of(files, *sample.text), *sample.text, sample.key);
  if (!sample.json) return {};
  return caption_in(stored_json(reader_of(files, *sample.json), *sample.json, sample.key)).value_or("");
}

std::optional<std::string> caption_in(const Json& json) {
  if (!json.is_object()) return {};
  for (const char* key : kCaptionKeys) {
    const auto found = json.find(key);
    if (found != json.end() && found->is_string()) return trimmed(found->get<std::string>());
  }
  return {};
}

Json without_caption(Json json) {
  if (!json.is_object()) return nullptr;
  for (const char* key : kCaptionKeys) json.erase(key);
  json.erase("file_name");
  return json.empty() ? Json() : json;
}

}  // namespace fresco::data
