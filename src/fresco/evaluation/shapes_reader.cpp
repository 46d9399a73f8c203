#include "fresco/evaluation/shapes_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "fresco/evaluation/shapes_outline.h"
#include "fresco/image/resize.h"

namespace fresco::evaluation {
namespace {

using data::shapes::Colour;
using data::shapes::Shape;

constexpr size_t kColours = data::shapes::kColourNames.size();
constexpr int kFrame = 3;  // pixels along the rim that tell the background
constexpr int kCore = 2;   // a colour is there where it fills a square of 2 * kCore + 1 pixels: rims of blur do not
constexpr int64_t kLeastCore = 12;   // of such squares
constexpr int64_t kLeastArea = 168;  // pixels: half of a small star, the least of all shapes
constexpr double kLeastLikeness = 0.6;

/// A colour for each pixel of a 128x128 picture.
using Labels = std::vector<Colour>;

Colour at(const Labels& labels, int row, int column) { return labels[place_of(row, column)]; }

Colour nearest(const uint8_t* pixel, const std::vector<Colour>& among) {
  const auto distance = [pixel](Colour colour) {
    const auto rgb = data::shapes::rgb(colour);
    int sum = 0;
    for (size_t c = 0; c < 3; ++c) sum += (pixel[c] - rgb[c]) * (pixel[c] - rgb[c]);
    return sum;
  };
  return *std::ranges::min_element(among, {}, distance);
}

/// The most frequent colour in the 3x3 pixels around each; its own where that is as frequent.
Labels without_specks(const Labels& labels) {
  Labels out = labels;
  for (int row = 1; row + 1 < kMaskSide; ++row) {
    for (int column = 1; column + 1 < kMaskSide; ++column) {
      std::array<int, kColours> counts{};
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) ++counts[data::shapes::index_of(at(labels, row + dy, column + dx))];
      }
      const auto own = data::shapes::index_of(at(labels, row, column));
      const auto most = static_cast<size_t>(std::ranges::max_element(counts) - counts.begin());
      if (counts[most] > counts[own]) out[place_of(row, column)] = static_cast<Colour>(most);
    }
  }
  return out;
}

Labels labelled(const image::Picture& picture, const std::vector<Colour>& among) {
  Labels labels;
  labels.reserve(static_cast<size_t>(kMaskSide) * kMaskSide);
  for (int row = 0; row < kMaskSide; ++row) {
    for (int column = 0; column < kMaskSide; ++column) labels.push_back(nearest(picture.at(row, column), among));
  }
  return without_specks(labels);
}

Colour background_of(const Labels& labels) {
  std::array<int, kColours> counts{};
  for (int row = 0; row < kMaskSide; ++row) {
    for (int column = 0; column < kMaskSide; ++column) {
      const int rim = std::min({row, column, kMaskSide - 1 - row, kMaskSide - 1 - column});
      if (rim < kFrame) ++counts[data::shapes::index_of(at(labels, row, column))];
    }
  }
  return static_cast<Colour>(std::ranges::max_element(counts) - counts.begin());
}

bool is_core(const Labels& labels, int row, int column) {
  for (int dy = -kCore; dy <= kCore; ++dy) {
    for (int dx = -kCore; dx <= kCore; ++dx) {
      if (at(labels, row + dy, column + dx) != at(labels, row, column)) return false;
    }
  }
  return true;
}

/// Takes the connected pixels of one colour around a pixel that has not been seen; whether any is a core.
bool take_region(const Labels& labels, size_t start, std::vector<bool>& seen, std::vector<size_t>& region) {
  region.assign(1, start);
  seen[start] = true;
  bool cored = false;
  for (size_t next = 0; next < region.size(); ++next) {
    const int row = static_cast<int>(region[next]) / kMaskSide, column = static_cast<int>(region[next]) % kMaskSide;
    const int rim = std::min({row, column, kMaskSide - 1 - row, kMaskSide - 1 - column});
    cored = cored || (rim >= kCore && is_core(labels, row, column));
    for (int dy = row > 0 ? -1 : 0; dy <= (row + 1 < kMaskSide ? 1 : 0); ++dy) {
      for (int dx = column > 0 ? -1 : 0; dx <= (column + 1 < kMaskSide ? 1 : 0); ++dx) {
        const size_t place = place_of(row + dy, column + dx);
        if (seen[place] || labels[place] != labels[start]) continue;
        seen[place] = true;
        region.push_back(place);
      }
    }
  }
  return cored;
}

/// Pixels where two colours mix into what looks like a third that stands elsewhere: regions without a core.
std::vector<bool> mixed_pixels(const Labels& labels) {
  std::vector<bool> seen(labels.size()), mixed(labels.size());
  std::vector<size_t> region;
  for (size_t start = 0; start < labels.size(); ++start) {
    if (seen[start] || take_region(labels, start, seen, region)) continue;
    for (const size_t place : region) mixed[place] = true;
  }
  return mixed;
}

/// The background first.
std::vector<Colour> colours_in(const Labels& labels) {
  std::array<int64_t, kColours> cores{};
  for (int row = kCore; row + kCore < kMaskSide; ++row) {
    for (int column = kCore; column + kCore < kMaskSide; ++column) {
      if (is_core(labels, row, column)) ++cores[data::shapes::index_of(at(labels, row, column))];
    }
  }
  std::vector<Colour> colours{background_of(labels)};
  for (size_t k = 0; k < kColours; ++k) {
    const auto colour = static_cast<Colour>(k);
    if (colour == colours.front() || cores[k] < kLeastCore) continue;
    if (std::ranges::count(labels, colour) >= kLeastArea) colours.push_back(colour);
  }
  return colours;
}

Mask mask_of(const Labels& labels, const std::vector<bool>& mixed, Colour colour) {
  Mask mask(labels.size(), Cover::other);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (mixed[i])
      mask[i] = Cover::unknown;
    else if (labels[i] == colour)
      mask[i] = Cover::thing;
  }
  return mask;
}

/// One for each colour. A thing whose extent lies within another's lies in front of it: what it covers of that one is not known.
std::vector<Mask> masks_of(const Labels& labels, std::span<const Colour> colours) {
  const auto mixed = mixed_pixels(labels);
  std::vector<Mask> masks;
  std::vector<Box> boxes;
  for (const Colour colour : colours) {
    masks.push_back(mask_of(labels, mixed, colour));
    boxes.push_back(extent_of(masks.back()));
  }
  for (size_t behind = 0; behind < masks.size(); ++behind) {
    for (size_t front = 0; front < masks.size(); ++front) {
      const Box &outer = boxes[behind], &inner = boxes[front];
      if (inner.left <= outer.left || inner.right >= outer.right || inner.top <= outer.top ||
          inner.bottom >= outer.bottom)
        continue;
      for (size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] == colours[front]) masks[behind][i] = Cover::unknown;
      }
    }
  }
  return masks;
}

ReadThing read_thing(const Mask& mask, Colour colour) {
  Outline best;
  for (size_t k = 0; k < data::shapes::kShapeNames.size(); ++k) {
    const Outline outline = best_outline(mask, static_cast<Shape>(k));
    if (outline.likeness > best.likeness) best = outline;
  }
  ReadThing thing{
      .colour = colour, .shape = {}, .x = best.x, .y = best.y, .radius = best.radius, .likeness = best.likeness};
  thing.area = std::ranges::count(mask, Cover::thing);
  if (best.likeness >= kLeastLikeness) thing.shape = best.shape;
  return thing;
}

}  // namespace

Reading read_shapes(const image::Picture& picture) {
  const image::Picture rgb = image::resize(image::to_rgb(picture), kMaskSide, kMaskSide, image::Filter::box);
  std::vector<Colour> all;
  for (size_t k = 0; k < kColours; ++k) all.push_back(static_cast<Colour>(k));
  const auto colours = colours_in(labelled(rgb, all));
  const Labels labels = labelled(rgb, colours);
  const auto thing_colours = std::span(colours).subspan(1);
  const auto masks = masks_of(labels, thing_colours);
  Reading reading{.background = colours.front(), .things = {}};
  for (size_t k = 0; k < masks.size(); ++k) reading.things.push_back(read_thing(masks[k], thing_colours[k]));
  std::ranges::stable_sort(reading.things, std::ranges::greater(), &ReadThing::area);
  return reading;
}

data::shapes::Relation relation_of(const ReadThing& a, const ReadThing& b) {
  using data::shapes::Relation;
  const double dx = a.x - b.x, dy = a.y - b.y;
  if (std::max(std::abs(dx), std::abs(dy)) + a.radius <= b.radius) return Relation::inside;
  if (std::abs(dx) > std::abs(dy)) return dx < 0 ? Relation::left_of : Relation::right_of;
  return dy < 0 ? Relation::above : Relation::below;
}

std::string text_of(const Reading& reading) {
  std::string text;
  for (const ReadThing& thing : reading.things) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name(thing.colour),
                        thing.shape ? name(*thing.shape) : "thing");
  }
  return fmt::format("{} on {}", text.empty() ? "nothing" : text, name(reading.background));
}

}  // namespace fresco::evaluation
