#include "fresco/image/read_write.h"

#include <fmt/format.h>

#include <new>

#include "fresco/core/ascii.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/image/codecs.h"

namespace fresco::image {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kLargestFile = uint64_t{1} << 30;
constexpr auto kKnown = ".png, .jpg, .jpeg, .webp"sv;

enum class Format { png, jpeg, webp };

struct Signature {
  std::string_view bytes;
  std::string_view name;
};
// What people are likely to pass instead, so that the message can name it.
constexpr Signature kOthers[] = {{"GIF8"sv, "a GIF"},
                                 {"BM"sv, "a BMP"},
                                 {"II*\0"sv, "a TIFF"},
                                 {"MM\0*"sv, "a TIFF"},
                                 {"8BPS"sv, "a Photoshop file"},
                                 {"%PDF"sv, "a PDF"},
                                 {"PK\3\4"sv, "a zip file"},
                                 {"<svg"sv, "an SVG"},
                                 {"<?xml"sv, "an XML file"},
                                 {"\xff\x0a"sv, "a JPEG XL"}};

std::string_view describe(std::string_view bytes) {
  if (bytes.empty()) return "an empty file";
  for (const Signature& other : kOthers) {
    if (bytes.starts_with(other.bytes)) return other.name;
  }
  const bool media = bytes.size() > 12 && bytes.substr(4, 4) == "ftyp"sv;
  return media ? "an AVIF, HEIC or video file" : "something else";
}

Format recognise(std::string_view bytes, std::string_view where) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return Format::png;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return Format::jpeg;
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv) return Format::webp;
  throw FormatError(where, expected_got("a PNG, JPEG or WebP picture", describe(bytes)));
}

Decoded decode(std::span<const std::byte> bytes, std::string_view where, std::optional<PictureSize> least = {}) {
  try {
    switch (recognise({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, where)) {
      case Format::png:
        return decode_png(bytes, where);
      case Format::jpeg:
        return decode_jpeg(bytes, where, least);
      default:
        return decode_webp(bytes, where);
    }
  } catch (const std::bad_alloc&) {
    throw ResourceError(where, "no memory to read the picture");
  }
}

Format format_of(std::string_view extension, std::string_view where) {
  const std::string lower = lower_ascii(std::string(extension));
  if (lower == ".png") return Format::png;
  if (lower == ".jpg" || lower == ".jpeg") return Format::jpeg;
  if (lower == ".webp") return Format::webp;
  throw InputError(where, fmt::format("expected a name that ends in one of {}, got {}", kKnown,
                                      extension.empty() ? "none of them" : printable(extension)));
}

std::string encode(Format format, const Picture& picture, const WriteOptions& options, std::string_view where) {
  switch (format) {
    case Format::png:
      return encode_png(picture, options.texts, where);
    case Format::jpeg:
      return encode_jpeg(picture, options.texts, options.jpeg_quality, where);
    default:
      return encode_webp(picture, options.texts, options.webp_quality, where);
  }
}

std::string place_of(std::string_view where, const std::filesystem::path& file) {
  return where.empty() ? file.string() : fmt::format("{} {}", where, file.string());
}

}  // namespace

Picture read_picture(std::span<const std::byte> bytes, std::string_view where) {
  Decoded decoded = decode(bytes, where);
  return oriented(std::move(decoded.picture), decoded.orientation);
}

Picture read_picture_at_least(std::span<const std::byte> bytes, std::string_view where, PictureSize least) {
  Decoded decoded = decode(bytes, where, least);
  return oriented(std::move(decoded.picture), decoded.orientation);
}

Picture read_picture(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, kLargestFile);
  return read_picture(std::as_bytes(std::span(bytes)), file.string());
}

std::vector<Text> read_texts(std::span<const std::byte> bytes, std::string_view where) {
  return decode(bytes, where).texts;
}

std::vector<Text> read_texts(const std::filesystem::path& file) {
  const std::string bytes = read_file(file, kLargestFile);
  return read_texts(std::as_bytes(std::span(bytes)), file.string());
}

std::optional<std::string> read_text(const std::filesystem::path& file, std::string_view keyword) {
  for (Text& text : read_texts(file)) {
    if (text.keyword == keyword) return std::move(text.text);
  }
  return std::nullopt;
}

std::optional<std::string> read_parameters(const std::filesystem::path& file) { return read_text(file, "parameters"); }

void check_picture_name(const std::filesystem::path& file, std::string_view where) {
  format_of(file.extension().string(), place_of(where, file));
}

std::string encode_picture(std::string_view extension, const Picture& picture, const WriteOptions& options) {
  return encode(format_of(extension, "picture format"), picture, options, "picture");
}

void write_picture(const std::filesystem::path& file, const Picture& picture, const WriteOptions& options,
                   bool overwrite) {
  const Format format = format_of(file.extension().string(), file.string());
  write_file(file, encode(format, picture, options, file.string()), overwrite);
}

}  // namespace fresco::image
