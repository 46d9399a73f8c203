#pragma once
#include <cstdint>
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
};

}  // namespace fresco::image
