#include "fresco/image/exif.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/core/unicode.h"

namespace fresco::image {
namespace {

using namespace std::string_view_literals;

constexpr auto kJpegHead = "Exif\0\0"sv;
constexpr auto kUnicodeHead = "UNICODE\0"sv;
constexpr auto kAsciiHead = "ASCII\0\0\0"sv;
constexpr auto kMakerHead = "fresco\0"sv;
constexpr uint16_t kOrientation = 0x0112, kExifIfd = 0x8769, kExifVersion = 0x9000, kMakerNote = 0x927c,
                   kUserComment = 0x9286;
constexpr uint16_t kShort = 3, kLong = 4, kUndefined = 7;
constexpr size_t kEntryBytes = 12;

// Bytes with an order; reads beyond the end give nothing.
struct Tiff {
  std::string_view bytes;
  bool big_endian = true;

  std::optional<uint32_t> number(uint64_t at, size_t size) const {
    if (at > bytes.size() || bytes.size() - at < size) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<uint8_t>(bytes[at + (big_endian ? i : size - 1 - i)]);
    }
    return value;
  }
};

// Where a directory's entry for `tag` begins.
std::optional<uint64_t> find_entry(const Tiff& tiff, uint64_t directory, uint16_t tag) {
  const uint32_t count = tiff.number(directory, 2).value_or(0);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t entry = directory + 2 + uint64_t{i} * kEntryBytes;
    const auto found = tiff.number(entry, 2);
    if (!found) return std::nullopt;
    if (*found == tag) return entry;
  }
  return std::nullopt;
}

std::optional<uint32_t> find_number(const Tiff& tiff, uint64_t directory, uint16_t tag) {
  const auto entry = find_entry(tiff, directory, tag);
  if (!entry) return std::nullopt;
  const auto type = tiff.number(*entry + 2, 2);
  if (type == kShort) return tiff.number(*entry + 8, 2);
  if (type == kLong) return tiff.number(*entry + 8, 4);
  return std::nullopt;
}

// The value of an entry of single bytes; those of up to four stand in the entry itself.
std::string_view find_bytes(const Tiff& tiff, uint64_t directory, uint16_t tag) {
  const auto entry = find_entry(tiff, directory, tag);
  if (!entry) return {};
  const uint64_t count = tiff.number(*entry + 4, 4).value_or(0);
  const uint64_t at = count <= 4 ? *entry + 8 : tiff.number(*entry + 8, 4).value_or(UINT32_MAX);
  if (at > tiff.bytes.size() || tiff.bytes.size() - at < count) return {};
  return tiff.bytes.substr(at, count);
}

// Programs disagree on the order of UTF-16 in a comment: a mark decides, else where the zero bytes
// of common characters lie, else the block's own order.
std::string decode_utf16_comment(std::string_view text, bool block_is_big_endian) {
  if (text.starts_with("\xfe\xff"sv)) return utf16_to_utf8(text.substr(2), true);
  if (text.starts_with("\xff\xfe"sv)) return utf16_to_utf8(text.substr(2), false);
  int64_t lead = 0;
  for (size_t i = 0; i + 1 < text.size(); i += 2) lead += (text[i] == 0) - (text[i + 1] == 0);
  return utf16_to_utf8(text, lead == 0 ? block_is_big_endian : lead > 0);
}

std::string decode_comment(std::string_view comment, bool big_endian) {
  if (comment.starts_with(kUnicodeHead)) return decode_utf16_comment(comment.substr(kUnicodeHead.size()), big_endian);
  // Eight bytes name the encoding; zeros leave it open, and UTF-8 holds ASCII.
  if (!comment.starts_with(kAsciiHead) && !comment.starts_with("\0\0\0\0\0\0\0\0"sv)) return {};
  return encode_utf8(decode_utf8(comment.substr(kAsciiHead.size())));
}

void add_maker_texts(std::string_view note, std::vector<Text>& texts) {
  if (!note.starts_with(kMakerHead)) return;
  try {
    const Json object = parse_json(note.substr(kMakerHead.size()), "maker's note");
    if (!object.is_object()) return;
    for (const auto& [keyword, text] : object.items()) {
      if (text.is_string()) texts.push_back({keyword, text.get<std::string>()});
    }
  } catch (const FormatError&) {
    return;  // somebody else's note
  }
}

std::string maker_note(const std::vector<Text>& texts) {
  Json object = Json::object();
  for (const Text& text : texts) {
    if (text.keyword != "parameters") object[text.keyword] = text.text;
  }
  if (object.empty()) return {};
  return std::string(kMakerHead) + object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string user_comment(const std::vector<Text>& texts) {
  for (const Text& text : texts) {
    if (text.keyword == "parameters") return std::string(kUnicodeHead) + utf8_to_utf16be(text.text);
  }
  return {};
}

void append_number(std::string& out, uint32_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
}

// Tag, type, count and value or offset: TIFF 6.0, section 2.
void append_entry(std::string& out, uint16_t tag, uint16_t type, size_t count, size_t value) {
  append_number(out, tag, 2);
  append_number(out, type, 2);
  append_number(out, static_cast<uint32_t>(count), 4);
  append_number(out, static_cast<uint32_t>(value), 4);
}

}  // namespace

ExifContent parse_exif(std::span<const std::byte> block) {
  Tiff tiff{{reinterpret_cast<const char*>(block.data()), block.size()}};
  if (tiff.bytes.starts_with(kJpegHead)) tiff.bytes.remove_prefix(kJpegHead.size());
  ExifContent content;
  if (!tiff.bytes.starts_with("MM\0\x2a"sv) && !tiff.bytes.starts_with("II\x2a\0"sv)) return content;
  tiff.big_endian = tiff.bytes[0] == 'M';
  const auto first = tiff.number(4, 4);
  if (!first) return content;
  content.orientation = static_cast<int>(find_number(tiff, *first, kOrientation).value_or(1) & 0xff);
  const auto inner = find_number(tiff, *first, kExifIfd);
  if (!inner) return content;
  const std::string comment = decode_comment(find_bytes(tiff, *inner, kUserComment), tiff.big_endian);
  if (!comment.empty()) content.texts.push_back({"parameters", comment});
  add_maker_texts(find_bytes(tiff, *inner, kMakerNote), content.texts);
  return content;
}

std::string make_exif(const std::vector<Text>& texts) {
  const std::string note = maker_note(texts);
  const std::string comment = user_comment(texts);
  if (note.empty() && comment.empty()) return {};
  const int entries = 1 + !note.empty() + !comment.empty();
  constexpr size_t kFirst = 8, kInner = kFirst + 2 + kEntryBytes + 4;
  const size_t data = kInner + 2 + static_cast<size_t>(entries) * kEntryBytes + 4;
  std::string out("MM\0\x2a"sv);
  append_number(out, kFirst, 4);
  append_number(out, 1, 2);
  append_entry(out, kExifIfd, kLong, 1, kInner);
  append_number(out, 0, 4);  // no further directory
  append_number(out, static_cast<uint32_t>(entries), 2);
  append_entry(out, kExifVersion, kUndefined, 4, 0x30323332);  // "0232"
  if (!note.empty()) append_entry(out, kMakerNote, kUndefined, note.size(), data);
  if (!comment.empty()) append_entry(out, kUserComment, kUndefined, comment.size(), data + note.size());
  append_number(out, 0, 4);
  return out + note + comment;
}

}  // namespace fresco::image
