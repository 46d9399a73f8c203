#pragma once
// The captioned shapes data set: one or two flat shapes on a flat background, drawn from nothing, the same on every machine.
// What models/starter-128 is trained on; its README.md states the grammar.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/image/picture.h"

namespace fresco::data::shapes {

enum class Colour : uint8_t { red, orange, yellow, green, blue, purple, black, white, gray, pink };
enum class Shape : uint8_t { circle, square, triangle, star, ring, cross };
/// Of the first thing to the second.
enum class Relation : uint8_t { none, above, below, left_of, right_of, inside };
enum class Extent : uint8_t { ordinary, small, large };

inline constexpr std::array<std::string_view, 10> kColourNames = {"red",    "orange", "yellow", "green", "blue",
                                                                  "purple", "black",  "white",  "gray",  "pink"};
inline constexpr std::array<std::string_view, 6> kShapeNames = {"circle", "square", "triangle",
                                                                "star",   "ring",   "cross"};
inline constexpr std::array<std::string_view, 6> kRelationNames = {"none",    "above",    "below",
                                                                   "left of", "right of", "inside"};
inline constexpr std::array<std::string_view, 3> kExtentNames = {"ordinary", "small", "large"};

template <typename Enum>
constexpr size_t index_of(Enum value) {
  return static_cast<size_t>(value);
}
constexpr std::string_view name(Colour colour) { return kColourNames[index_of(colour)]; }
constexpr std::string_view name(Shape shape) { return kShapeNames[index_of(shape)]; }
constexpr std::string_view name(Relation relation) { return kRelationNames[index_of(relation)]; }
constexpr std::string_view name(Extent extent) { return kExtentNames[index_of(extent)]; }

using Rgb = std::array<uint8_t, 3>;
Rgb rgb(Colour colour);

/// Sides of pictures are this many units long, whatever their pixels.
inline constexpr double kUnits = 128;

struct Thing {
  Shape shape = Shape::circle;
  Colour colour = Colour::red;
  double x = 64, y = 64, radius = 32;  // units; y grows downwards
};

struct Scene {
  Colour background = Colour::white;
  bool says_background = true;
  Extent extent = Extent::ordinary;  // of a single thing
  Relation relation = Relation::none;
  std::vector<Thing> things;  // as they are named; the last is drawn first
  std::string caption;
};

/// Training never shows what the other two hold, whatever its seed and length.
/// unseen: an eighth of all combinations of things, relation, size and background, by a hash; held_out: all scenes with one
/// of held_out_things().
enum class Split : uint8_t { training, unseen, held_out };
inline constexpr std::array<std::string_view, 3> kSplitNames = {"training", "unseen", "held_out"};

Split split_of(const Scene& scene);

/// Colours that training shows, shapes that it shows, never together: the pairs with (colour + 3 * shape) mod 8 = 2 in the
/// order of the names above.
bool held_out(Colour colour, Shape shape);
std::vector<std::pair<Colour, Shape>> held_out_things();

/// Scene `index` of the endless series `seed` of a split.
Scene scene(uint64_t seed, uint64_t index, Split split = Split::training);

/// What a reader of the caption has to understand, as words: background, relation, size, colour_1, shape_1, colour_2, shape_2;
/// "none" where there is no second thing.
Json attributes(const Scene& scene);

/// Whether a shape of radius 1 around (0, 0) covers (u, v).
bool covers(Shape shape, double u, double v);

/// RGB, [size, size], antialiased from 4x4 samples a pixel. Errors: as blank_picture.
image::Picture draw_scene(const Scene& scene, int64_t size = 128);

}  // namespace fresco::data::shapes
