#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace fresco::image {

/// Eight-bit picture: rows from the top, channels interleaved; 1 (grey), 3 (RGB) or 4 (RGBA) channels.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;
  std::vector<uint8_t> pixels;  // height * width * channels

  uint8_t* at(int64_t row, int64_t column) { return pixels.data() + (row * width + column) * channels; }
  const uint8_t* at(int64_t row, int64_t column) const { return pixels.data() + (row * width + column) * channels; }
  bool operator==(const Picture&) const = default;
};

/// Larger pictures from outside are refused before memory is taken for them.
inline constexpr int64_t kLargestPixels = 100'000'000;

/// Errors: FormatError with `where` when a side is not positive or the area is beyond kLargestPixels.
void check_size(int64_t width, int64_t height, std::string_view where);

/// A black picture. Errors: as check_size; ResourceError when there is no memory for it.
Picture blank_picture(int64_t width, int64_t height, int64_t channels, std::string_view where);

/// Three channels: grey is repeated, alpha dropped without blending (what Pillow's convert("RGB") does).
Picture to_rgb(const Picture& picture);

/// One channel, ITU-R 601 luma in 16-bit fixed point (what Pillow's convert("L") does); alpha is dropped.
Picture to_grey(const Picture& picture);

/// Turned upright by an EXIF orientation, 1 to 8 (CIPA DC-008, tag 0x0112); other numbers leave it as it is.
Picture oriented(Picture picture, int orientation);

}  // namespace fresco::image
