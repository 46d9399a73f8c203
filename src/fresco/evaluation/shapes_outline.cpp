#include "fresco/evaluation/shapes_outline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fresco::evaluation {
namespace {

using data::shapes::Shape;

/// How far a shape of radius 1 reaches from its centre.
struct Extent {
  double left, right, up, down;
};
constexpr std::array<Extent, 6> kExtents = {
    {{1, 1, 1, 1}, {0.88, 0.88, 0.88, 0.88}, {1, 1, 1.05, 0.8}, {1.046, 1.046, 1.1, 0.89}, {1, 1, 1, 1}, {1, 1, 1, 1}}};
constexpr std::array<double, 4> kSteps = {4, 2, 1, 0.5};
constexpr double kReach = 1.1;

double likeness(const Mask& mask, int64_t thing_pixels, const Outline& outline) {
  const auto from = [](double place) { return std::clamp(static_cast<int>(std::floor(place)), 0, kMaskSide); };
  const double reach = kReach * outline.radius;
  int64_t both = 0, outside = 0;
  for (int row = from(outline.y - reach); row < from(outline.y + reach + 1); ++row) {
    const double v = (row + 0.5 - outline.y) / outline.radius;
    for (int column = from(outline.x - reach); column < from(outline.x + reach + 1); ++column) {
      const Cover cover = mask[place_of(row, column)];
      if (cover == Cover::unknown || !covers(outline.shape, (column + 0.5 - outline.x) / outline.radius, v)) continue;
      ++(cover == Cover::thing ? both : outside);
    }
  }
  return static_cast<double>(both) / static_cast<double>(thing_pixels + outside);
}

Outline first_guess(const Mask& mask, Shape shape) {
  const Box box = extent_of(mask);
  const Extent& extent = kExtents[data::shapes::index_of(shape)];
  const double width = box.right - box.left + 1, height = box.bottom - box.top + 1;
  const double radius =
      std::max(2.0, 0.5 * (width / (extent.left + extent.right) + height / (extent.up + extent.down)));
  return {shape, box.left + width * extent.left / (extent.left + extent.right),
          box.top + height * extent.up / (extent.up + extent.down), radius};
}

}  // namespace

Box extent_of(const Mask& mask) {
  std::array<int, kMaskSide> rows{}, columns{};
  for (int row = 0; row < kMaskSide; ++row) {
    for (int column = 0; column < kMaskSide; ++column) {
      if (mask[place_of(row, column)] != Cover::thing) continue;
      ++rows[static_cast<size_t>(row)], ++columns[static_cast<size_t>(column)];
    }
  }
  Box box;
  for (int k = 0; k < kMaskSide; ++k) {
    if (rows[static_cast<size_t>(k)] > 1) box.top = std::min(box.top, k), box.bottom = k;
    if (columns[static_cast<size_t>(k)] > 1) box.left = std::min(box.left, k), box.right = k;
  }
  return box;
}

Outline best_outline(const Mask& mask, Shape shape) {
  const int64_t pixels = std::ranges::count(mask, Cover::thing);
  if (pixels == 0) return {.shape = shape};
  Outline best = first_guess(mask, shape);
  best.likeness = likeness(mask, pixels, best);
  for (const double step : kSteps) {
    for (bool better = true; better;) {
      better = false;
      for (double Outline::*member : {&Outline::x, &Outline::y, &Outline::radius}) {
        for (const double sign : {-1, 1}) {
          Outline next = best;
          next.*member += sign * step;
          if (next.radius < 2) continue;
          next.likeness = likeness(mask, pixels, next);
          if (next.likeness <= best.likeness) continue;
          best = next;
          better = true;
        }
      }
    }
  }
  return best;
}

}  // namespace fresco::evaluation
