#pragma once
// How large a picture is, from the first bytes of its file.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace fresco::image {

struct PictureSize {
  int64_t width = 0;
  int64_t height = 0;
  bool operator==(const PictureSize&) const = default;
};

/// Upright, where EXIF stands before the pixels (as it does in a JPEG; a WebP's, which stands behind them, is not seen). Nothing when `head`
/// ends before the size. Errors: FormatError with `where` when the bytes begin no PNG, JPEG or WebP picture.
std::optional<PictureSize> picture_size(std::span<const std::byte> head, std::string_view where);

}  // namespace fresco::image
