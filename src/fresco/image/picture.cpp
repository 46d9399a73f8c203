#include "fresco/image/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>

#include "fresco/core/error.h"

namespace fresco::image {
namespace {

struct Place {
  int64_t row;
  int64_t column;
};

// The pixel of a [H, W] picture that comes to (row, column) of the upright one.
Place source_of(int orientation, int64_t row, int64_t column, int64_t H, int64_t W) {
  switch (orientation) {
    case 2:
      return {row, W - 1 - column};
    case 3:
      return {H - 1 - row, W - 1 - column};
    case 4:
      return {H - 1 - row, column};
    case 5:
      return {column, row};
    case 6:
      return {H - 1 - column, row};
    case 7:
      return {H - 1 - column, W - 1 - row};
    case 8:
      return {column, W - 1 - row};
    default:
      return {row, column};
  }
}

template <typename Convert>
Picture converted(const Picture& picture, int64_t channels, Convert&& convert) {
  Picture out = blank_picture(picture.width, picture.height, channels, "picture");
  const uint8_t* from = picture.pixels.data();
  uint8_t* to = out.pixels.data();
  for (int64_t i = 0; i < picture.width * picture.height; ++i, from += picture.channels, to += channels)
    convert(from, to);
  return out;
}

}  // namespace

void check_size(int64_t width, int64_t height, std::string_view where) {
  if (width < 1 || height < 1 || width > kLargestPixels / height) {
    throw FormatError(where, fmt::format("expected a picture of 1 to {} megapixels, got {}x{}",
                                         kLargestPixels / 1'000'000, width, height));
  }
}

Picture blank_picture(int64_t width, int64_t height, int64_t channels, std::string_view where) {
  check_size(width, height, where);
  Picture picture{.width = width, .height = height, .channels = channels, .pixels = {}};
  try {
    picture.pixels.resize(static_cast<size_t>(width * height * channels));
  } catch (const std::bad_alloc&) {
    throw ResourceError(where, fmt::format("no memory for {} bytes of pixels", width * height * channels));
  }
  return picture;
}

Picture to_rgb(const Picture& picture) {
  if (picture.channels == 3) return picture;
  const bool grey = picture.channels == 1;
  return converted(picture, 3, [grey](const uint8_t* from, uint8_t* to) {
    for (int c = 0; c < 3; ++c) to[c] = from[grey ? 0 : c];
  });
}

Picture to_grey(const Picture& picture) {
  if (picture.channels == 1) return picture;
  return converted(picture, 1, [](const uint8_t* from, uint8_t* to) {
    *to = static_cast<uint8_t>((from[0] * 19595 + from[1] * 38470 + from[2] * 7471 + 0x8000) >> 16);
  });
}

Picture oriented(Picture picture, int orientation) {
  if (orientation < 2 || orientation > 8) return picture;
  const bool turned = orientation >= 5;
  Picture out = blank_picture(turned ? picture.height : picture.width, turned ? picture.width : picture.height,
                              picture.channels, "picture");
  for (int64_t row = 0; row < out.height; ++row) {
    for (int64_t column = 0; column < out.width; ++column) {
      const Place source = source_of(orientation, row, column, picture.height, picture.width);
      std::copy_n(picture.at(source.row, source.column), picture.channels, out.at(row, column));
    }
  }
  return out;
}

}  // namespace fresco::image
