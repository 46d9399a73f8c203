#include "fresco/data/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/image/resize.h"

namespace fresco::data {
namespace {

using image::PictureSize;

constexpr int64_t kStep = 64;
constexpr int64_t kLeastResolution = 8, kLargestResolution = 16384;

double aspect(PictureSize size) { return static_cast<double>(size.width) / static_cast<double>(size.height); }

image::Picture middle_of(const image::Picture& picture, PictureSize size) {
  const int64_t top = (picture.height - size.height) / 2, left = (picture.width - size.width) / 2;
  image::Picture out = image::blank_picture(size.width, size.height, picture.channels, "picture");
  for (int64_t row = 0; row < size.height; ++row)
    std::copy_n(picture.at(top + row, left), size.width * picture.channels, out.at(row, 0));
  return out;
}

}  // namespace

std::vector<PictureSize> bucket_sizes(const FitSettings& fit) {
  const int64_t side = fit.resolution, least = fit.buckets ? kStep : kLeastResolution;
  if (side < least || side > kLargestResolution) {
    throw InputError("resolution",
                     fmt::format("expected from {} to {} pixels, got {}", least, kLargestResolution, side));
  }
  std::vector<PictureSize> sizes{{side, side}};
  if (!fit.buckets) return sizes;
  for (int64_t width = kStep; width <= side * side / kStep; width += kStep) {
    const int64_t height = side * side / width / kStep * kStep;
    if (static_cast<double>(std::max(width, height)) >
        fit.max_bucket_aspect * static_cast<double>(std::min(width, height)))
      continue;
    sizes.push_back({width, height});
    sizes.push_back({height, width});
  }
  std::ranges::sort(sizes, {}, [](PictureSize size) { return std::pair(size.height, size.width); });
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

size_t nearest_bucket(const std::vector<PictureSize>& buckets, PictureSize picture) {
  const auto distance = [&](PictureSize bucket) { return std::abs(std::log(aspect(bucket) / aspect(picture))); };
  return static_cast<size_t>(std::ranges::min_element(buckets, {}, distance) - buckets.begin());
}

PictureSize covering(PictureSize picture, PictureSize target) {
  // The side that fits exactly is not rounded.
  if (picture.width * target.height < target.width * picture.height)
    return {target.width, std::max(target.height, (picture.height * target.width + picture.width / 2) / picture.width)};
  return {std::max(target.width, (picture.width * target.height + picture.height / 2) / picture.height), target.height};
}

image::Picture fitted(const image::Picture& picture, PictureSize target) {
  const PictureSize size = covering({picture.width, picture.height}, target);
  return middle_of(image::resize(image::to_rgb(picture), size.width, size.height), target);
}

}  // namespace fresco::data
