#pragma once
// One file format each: bytes <-> pixels and texts. read_write.h is what callers use.
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/image/exif.h"
#include "fresco/image/picture.h"
#include "fresco/image/picture_size.h"

namespace fresco::image {

/// A picture as it lies in its file, not yet turned by `orientation`.
struct Decoded {
  Picture picture;
  int orientation = 1;
  std::vector<Text> texts;
};

/// Errors: FormatError with `where` when the bytes are not a whole picture of that kind,
/// ResourceError without memory.
Decoded decode_png(std::span<const std::byte> bytes, std::string_view where);
/// least: upright width and height that are enough; the picture comes at the smallest eighth of its size that is no smaller.
Decoded decode_jpeg(std::span<const std::byte> bytes, std::string_view where, std::optional<PictureSize> least = {});
Decoded decode_webp(std::span<const std::byte> bytes, std::string_view where);

/// Same picture, texts and library version: same bytes. Errors: InputError with `where` when the
/// format cannot hold the size or the texts, ResourceError without memory.
/// PNG: `parameters` and every other keyword as a tEXt chunk when the text fits Latin-1, else as
/// iTXt.
std::string encode_png(const Picture& picture, const std::vector<Text>& texts, std::string_view where);
/// Baseline with full-resolution colour (4:4:4); alpha is dropped.
std::string encode_jpeg(const Picture& picture, const std::vector<Text>& texts, int quality, std::string_view where);
/// Lossless without a quality, else lossy (WebP halves the colour's resolution then).
std::string encode_webp(const Picture& picture, const std::vector<Text>& texts, std::optional<int> quality,
                        std::string_view where);

}  // namespace fresco::image
