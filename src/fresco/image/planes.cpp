#include "fresco/image/planes.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "fresco/image/resize.h"

namespace fresco::image {
namespace {

uint8_t to_byte(float value) {
  if (std::isnan(value)) return 0;
  return static_cast<uint8_t>(std::nearbyint(std::clamp(value * 255.0f, 0.0f, 255.0f)));
}

}  // namespace

std::vector<float> to_planes(const Picture& picture) {
  const int64_t area = picture.width * picture.height, C = picture.channels;
  std::vector<float> planes(picture.pixels.size());
  for (int64_t c = 0; c < C; ++c) {
    for (int64_t i = 0; i < area; ++i) {
      planes[static_cast<size_t>(c * area + i)] =
          static_cast<float>(picture.pixels[static_cast<size_t>(i * C + c)]) / 255.0f;
    }
  }
  return planes;
}

Picture from_planes(const float* planes, int64_t C, int64_t H, int64_t W) {
  assert(C == 1 || C == 3 || C == 4);
  Picture picture = blank_picture(W, H, C, "picture");
  const int64_t area = H * W;
  for (int64_t c = 0; c < C; ++c) {
    for (int64_t i = 0; i < area; ++i) picture.pixels[static_cast<size_t>(i * C + c)] = to_byte(planes[c * area + i]);
  }
  return picture;
}

std::vector<float> mask_planes(const Picture& picture, int64_t width, int64_t height) {
  // diffusers' load_image drops alpha before anything else.
  const Picture grey =
      to_grey(resize(picture.channels == 4 ? to_rgb(picture) : picture, width, height, Filter::lanczos));
  std::vector<float> mask(grey.pixels.size());
  std::transform(grey.pixels.begin(), grey.pixels.end(), mask.begin(),
                 [](uint8_t byte) { return byte >= 128 ? 1.0f : 0.0f; });
  return mask;
}

std::vector<float> latent_mask(const std::vector<float>& mask, int64_t H, int64_t W, int64_t factor) {
  assert(static_cast<int64_t>(mask.size()) == H * W);
  const int64_t rows = H / factor, columns = W / factor;
  std::vector<float> small;
  small.reserve(static_cast<size_t>(rows * columns));
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) small.push_back(mask[static_cast<size_t>(y * factor * W + x * factor)]);
  }
  return small;
}

}  // namespace fresco::image
