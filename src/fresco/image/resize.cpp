// Separable resampling in fixed point with the coefficients, order of passes and rounding of Pillow
// up to version 12 (src/libImaging/Resample.c), because diffusers prepares its pictures and masks
// with it. Rows first, always; Pillow 13 begins with the columns where the height shrinks much more
// than the width; bytes then differ by what is rounded and clipped between the passes.
#include "fresco/image/resize.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

namespace fresco::image {
namespace {

constexpr int kFractionBits = 22;  // 32 less 8 for the pixel and 2 for sums beyond it
constexpr std::string_view kWhere = "resized picture";

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double weight(Filter filter, double x) {
  switch (filter) {
    case Filter::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear:
      return std::max(0.0, 1 - std::abs(x));
    default:
      return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
}

double radius(Filter filter) { return filter == Filter::box ? 0.5 : filter == Filter::bilinear ? 1 : 3; }

// The source pixels of one target pixel and their weights, scaled by 2^kFractionBits.
struct Taps {
  int64_t first = 0;
  std::vector<int32_t> weights;
};

Taps taps_of(int64_t target, int64_t from, int64_t to, Filter filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double spread = std::max(scale, 1.0), support = radius(filter) * spread, inverse = 1.0 / spread;
  const double centre = (static_cast<double>(target) + 0.5) * scale;
  const auto first = std::max<int64_t>(0, static_cast<int64_t>(centre - support + 0.5));
  const auto last = std::min(from, static_cast<int64_t>(centre + support + 0.5));
  std::vector<double> exact;
  double sum = 0;
  for (int64_t i = first; i < last; ++i) {
    exact.push_back(weight(filter, (static_cast<double>(i) - centre + 0.5) * inverse));
    sum += exact.back();
  }
  Taps taps{first, {}};
  for (double value : exact) {
    if (sum != 0) value /= sum;
    taps.weights.push_back(static_cast<int32_t>((value < 0 ? -0.5 : 0.5) + value * (1 << kFractionBits)));
  }
  return taps;
}

std::vector<Taps> all_taps(int64_t from, int64_t to, Filter filter) {
  std::vector<Taps> taps;
  for (int64_t i = 0; i < to; ++i) taps.push_back(taps_of(i, from, to, filter));
  return taps;
}

// Sum of weight times pixel, `stride` bytes from tap to tap. The sum of the weights' magnitudes
// stays below 2, so 32 bits hold it.
uint8_t weighted(const Taps& taps, const uint8_t* source, int64_t stride) {
  int32_t sum = 1 << (kFractionBits - 1);
  for (const int32_t w : taps.weights) {
    sum += w * *source;
    source += stride;
  }
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

Picture resize_rows(const Picture& picture, int64_t width, Filter filter) {
  if (picture.width == width) return picture;
  Picture out = blank_picture(width, picture.height, picture.channels, kWhere);
  const auto taps = all_taps(picture.width, width, filter);
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const Taps& tap = taps[static_cast<size_t>(x)];
      for (int64_t c = 0; c < out.channels; ++c)
        out.at(y, x)[c] = weighted(tap, picture.at(y, tap.first) + c, picture.channels);
    }
  }
  return out;
}

Picture resize_columns(const Picture& picture, int64_t height, Filter filter) {
  if (picture.height == height) return picture;
  Picture out = blank_picture(picture.width, height, picture.channels, kWhere);
  const int64_t row_bytes = picture.width * picture.channels;
  for (int64_t y = 0; y < height; ++y) {
    const Taps taps = taps_of(y, picture.height, height, filter);
    for (int64_t i = 0; i < row_bytes; ++i) out.at(y, 0)[i] = weighted(taps, picture.at(taps.first, 0) + i, row_bytes);
  }
  return out;
}

// Which source pixel lies under the middle of each target pixel. Positions are summed up, not
// multiplied: so does Pillow.
std::vector<int64_t> nearest_sources(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to);
  std::vector<int64_t> sources;
  for (double at = step * 0.5; std::ssize(sources) < to; at += step)
    sources.push_back(std::min(static_cast<int64_t>(at), from - 1));
  return sources;
}

Picture resize_nearest(const Picture& picture, int64_t width, int64_t height) {
  Picture out = blank_picture(width, height, picture.channels, kWhere);
  const auto columns = nearest_sources(picture.width, width), rows = nearest_sources(picture.height, height);
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      std::copy_n(picture.at(rows[static_cast<size_t>(y)], columns[static_cast<size_t>(x)]), picture.channels,
                  out.at(y, x));
    }
  }
  return out;
}

void multiply_by_alpha(Picture& rgba) {
  for (uint8_t* p = rgba.pixels.data(); p != rgba.pixels.data() + rgba.pixels.size(); p += 4) {
    for (int c = 0; c < 3; ++c) {
      const int product = p[c] * p[3] + 128;  // product / 255, rounded
      p[c] = static_cast<uint8_t>(((product >> 8) + product) >> 8);
    }
  }
}

void divide_by_alpha(Picture& rgba) {
  for (uint8_t* p = rgba.pixels.data(); p != rgba.pixels.data() + rgba.pixels.size(); p += 4) {
    if (p[3] == 0 || p[3] == 255) continue;
    for (int c = 0; c < 3; ++c) p[c] = static_cast<uint8_t>(std::min(255, 255 * p[c] / p[3]));
  }
}

}  // namespace

Picture resize(const Picture& picture, int64_t width, int64_t height, Filter filter) {
  if (picture.width == width && picture.height == height) return picture;
  if (filter == Filter::nearest) return resize_nearest(picture, width, height);
  if (picture.channels != 4) return resize_columns(resize_rows(picture, width, filter), height, filter);
  Picture weighted_colours = picture;
  multiply_by_alpha(weighted_colours);
  Picture out = resize_columns(resize_rows(weighted_colours, width, filter), height, filter);
  divide_by_alpha(out);
  return out;
}

}  // namespace fresco::image
