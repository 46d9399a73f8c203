// Sources: PNG 1.2 (chunks), ITU-T T.81 annex B (JPEG's markers), RFC 9649 (WebP's containers).
#include "fresco/image/picture_size.h"

#include <utility>

#include "fresco/core/error.h"
#include "fresco/image/exif.h"

namespace fresco::image {
namespace {

using namespace std::string_view_literals;

/// Unsigned numbers and texts at places of a head that may end early.
class Head {
 public:
  explicit Head(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool has(size_t place, size_t count) const { return place <= bytes_.size() && count <= bytes_.size() - place; }
  bool holds(size_t place, std::string_view text) const {
    return has(place, text.size()) && view(place, text.size()) == text;
  }
  std::string_view view(size_t place, size_t count) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + place, count};
  }
  std::span<const std::byte> span(size_t place, size_t count) const { return bytes_.subspan(place, count); }
  uint32_t byte(size_t place) const { return static_cast<uint32_t>(bytes_[place]); }
  uint32_t big(size_t place, int bytes) const {
    uint32_t value = 0;
    for (int k = 0; k < bytes; ++k) value = value << 8 | byte(place + static_cast<size_t>(k));
    return value;
  }
  uint32_t little(size_t place, int bytes) const {
    uint32_t value = 0;
    for (int k = bytes; k-- > 0;) value = value << 8 | byte(place + static_cast<size_t>(k));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
};

using Found = std::optional<PictureSize>;

PictureSize turned(PictureSize size, int orientation) {
  if (orientation >= 5 && orientation <= 8) std::swap(size.width, size.height);
  return size;
}

/// The header, then chunks up to the first one of pixels.
Found png_size(const Head& head) {
  if (!head.has(16, 8)) return {};
  const PictureSize size{head.big(16, 4), head.big(20, 4)};
  for (size_t place = 8; head.has(place, 8); place += 12 + size_t{head.big(place, 4)}) {
    if (head.holds(place + 4, "IDAT")) return size;
    const size_t length = head.big(place, 4);
    if (head.holds(place + 4, "eXIf") && head.has(place + 8, length))
      return turned(size, parse_exif(head.span(place + 8, length)).orientation);
  }
  return {};
}

bool starts_frame(uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

Found jpeg_size(const Head& head, std::string_view where) {
  int orientation = 1;
  size_t place = 2;
  for (;;) {
    while (head.has(place, 2) && head.byte(place) == 0xFF && head.byte(place + 1) == 0xFF) ++place;  // filling
    if (!head.has(place, 4)) return {};
    const uint32_t marker = head.byte(place + 1), length = head.big(place + 2, 2);
    if (head.byte(place) != 0xFF || marker == 0xD9 || marker == 0xDA || length < 2)
      throw FormatError(where, "expected a whole JPEG picture, got a broken one: no frame before its pixels");
    if (starts_frame(marker)) {
      if (!head.has(place + 5, 4)) return {};
      return turned({head.big(place + 7, 2), head.big(place + 5, 2)}, orientation);
    }
    if (marker == 0xE1 && head.holds(place + 4, "Exif\0\0"sv) && head.has(place + 4, length - 2))
      orientation = parse_exif(head.span(place + 4, length - 2)).orientation;
    place += 2 + length;
  }
}

Found webp_size(const Head& head, std::string_view where) {
  if (!head.has(12, 18)) return {};
  const std::string_view kind = head.view(12, 4);
  if (kind == "VP8 ") return PictureSize{head.little(26, 2) & 0x3fff, head.little(28, 2) & 0x3fff};
  if (kind == "VP8L") return PictureSize{1 + (head.little(21, 4) & 0x3fff), 1 + (head.little(21, 4) >> 14 & 0x3fff)};
  if (kind == "VP8X") return PictureSize{1 + head.little(24, 3), 1 + head.little(27, 3)};
  throw FormatError(where, "expected a whole WebP picture, got a broken one: unknown first chunk");
}

}  // namespace

std::optional<PictureSize> picture_size(std::span<const std::byte> bytes, std::string_view where) {
  const Head head(bytes);
  if (!head.has(0, 12)) return {};
  Found found;
  if (head.holds(0, "\x89PNG\r\n\x1a\n"))
    found = png_size(head);
  else if (head.holds(0, "\xff\xd8\xff"))
    found = jpeg_size(head, where);
  else if (head.holds(0, "RIFF") && head.holds(8, "WEBP"))
    found = webp_size(head, where);
  else
    throw FormatError(where, expected_got("a PNG, JPEG or WebP picture", "something else"));
  if (found && (found->width == 0 || found->height == 0))
    throw FormatError(where, "expected a picture with pixels, got one without width or height");
  return found;
}

}  // namespace fresco::image
