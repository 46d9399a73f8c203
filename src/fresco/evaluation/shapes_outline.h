#pragma once
#include <cstdint>
#include <vector>

#include "fresco/data/shapes.h"

namespace fresco::evaluation {

/// Pixels of a 128x128 picture: of the thing, of others, or of something that may lie in front of it.
enum class Cover : uint8_t { other, thing, unknown };
inline constexpr int kMaskSide = 128;
constexpr size_t place_of(int row, int column) {
  return static_cast<size_t>(row) * kMaskSide + static_cast<size_t>(column);
}
using Mask = std::vector<Cover>;  // [128, 128]

struct Box {
  int left = kMaskSide, right = -1, top = kMaskSide, bottom = -1;  // inclusive
};

/// Of rows and columns that hold more than one of its pixels: a speck far away does not count.
Box extent_of(const Mask& mask);

struct Outline {
  data::shapes::Shape shape{};
  double x = 0, y = 0, radius = 0;
  double likeness = 0;  // intersection over union, pixels that are unknown left out
};

/// The place and size at which `shape` covers the mask best, found by descent from the mask's extent.
Outline best_outline(const Mask& mask, data::shapes::Shape shape);

}  // namespace fresco::evaluation
