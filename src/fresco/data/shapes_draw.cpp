// Where a shape covers the plane, and the pixels of a scene.
#include <algorithm>
#include <cmath>

#include "fresco/data/shapes.h"

namespace fresco::data::shapes {
namespace {

constexpr int kSamples = 4;     // a pixel's row and column
constexpr double kReach = 1.1;  // the star's tips
constexpr double kRingHole = 0.62, kHalfSquare = 0.88, kHalfArm = 0.34;
constexpr double kTriangleTop = -1.05, kTriangleFoot = 0.8;
constexpr double kStarTip = 1.1, kStarNotch = 0.46;
constexpr double kSin36 = 0.5877852522924731, kCos36 = 0.8090169943749475;
constexpr double kSin72 = 0.9510565162951535, kCos72 = 0.30901699437494745;

struct Point {
  double u, v;
};
/// The star's right half, from the top to the foot.
constexpr Point kHalfStar[] = {{0, -kStarTip},
                               {kStarNotch * kSin36, -kStarNotch* kCos36},
                               {kStarTip * kSin72, -kStarTip* kCos72},
                               {kStarNotch * kSin72, kStarNotch* kCos72},
                               {kStarTip * kSin36, kStarTip* kCos36},
                               {0, kStarNotch}};

/// Edges to the right of the point, on a line through it: an odd number means inside.
bool star_covers(double u, double v) {
  u = std::abs(u);
  bool inside = false;
  for (size_t k = 0; k + 1 < std::size(kHalfStar); ++k) {
    const Point &a = kHalfStar[k], &b = kHalfStar[k + 1];
    if ((a.v > v) == (b.v > v)) continue;
    if (u < a.u + (v - a.v) / (b.v - a.v) * (b.u - a.u)) inside = !inside;
  }
  return inside;
}

/// Samples of a row or column, from the first that may be touched to past the last.
std::pair<int64_t, int64_t> touched(double middle, double reach, double samples_a_unit, int64_t count) {
  const auto first = static_cast<int64_t>(std::floor((middle - reach) * samples_a_unit));
  const auto last = static_cast<int64_t>(std::ceil((middle + reach) * samples_a_unit));
  return {std::clamp<int64_t>(first, 0, count), std::clamp<int64_t>(last, 0, count)};
}

void paint(std::vector<uint8_t>& colours, int64_t count, const Thing& thing) {
  const double samples_a_unit = static_cast<double>(count) / kUnits, reach = kReach * thing.radius;
  const auto [top, bottom] = touched(thing.y, reach, samples_a_unit, count);
  const auto [left, right] = touched(thing.x, reach, samples_a_unit, count);
  for (int64_t row = top; row < bottom; ++row) {
    const double v = ((static_cast<double>(row) + 0.5) / samples_a_unit - thing.y) / thing.radius;
    for (int64_t column = left; column < right; ++column) {
      const double u = ((static_cast<double>(column) + 0.5) / samples_a_unit - thing.x) / thing.radius;
      if (covers(thing.shape, u, v)) colours[static_cast<size_t>(row * count + column)] = uint8_t(thing.colour);
    }
  }
}

/// Mean of a pixel's samples, rounded half up.
void average(const uint8_t* samples, int64_t count, uint8_t* pixel) {
  std::array<int, 3> sums{};
  for (int row = 0; row < kSamples; ++row) {
    for (int column = 0; column < kSamples; ++column) {
      const Rgb colour = rgb(static_cast<Colour>(samples[row * count + column]));
      for (size_t c = 0; c < 3; ++c) sums[c] += colour[c];
    }
  }
  constexpr int kAll = kSamples * kSamples;
  for (size_t c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>((sums[c] + kAll / 2) / kAll);
}

}  // namespace

bool covers(Shape shape, double u, double v) {
  switch (shape) {
    case Shape::circle:
      return u * u + v * v <= 1;
    case Shape::ring:
      return u * u + v * v <= 1 && u * u + v * v > kRingHole * kRingHole;
    case Shape::square:
      return std::max(std::abs(u), std::abs(v)) <= kHalfSquare;
    case Shape::cross:
      return std::max(std::abs(u), std::abs(v)) <= 1 && std::min(std::abs(u), std::abs(v)) <= kHalfArm;
    case Shape::triangle:
      return v >= kTriangleTop && v <= kTriangleFoot &&
             std::abs(u) * (kTriangleFoot - kTriangleTop) <= v - kTriangleTop;
    default:
      return star_covers(u, v);
  }
}

image::Picture draw_scene(const Scene& scene, int64_t size) {
  image::Picture picture = image::blank_picture(size, size, 3, "shapes");
  const int64_t count = size * kSamples;
  std::vector<uint8_t> colours(static_cast<size_t>(count * count), uint8_t(scene.background));
  for (auto thing = scene.things.rbegin(); thing != scene.things.rend(); ++thing) paint(colours, count, *thing);
  for (int64_t row = 0; row < size; ++row) {
    for (int64_t column = 0; column < size; ++column)
      average(&colours[static_cast<size_t>(row * kSamples * count + column * kSamples)], count,
              picture.at(row, column));
  }
  return picture;
}

}  // namespace fresco::data::shapes
