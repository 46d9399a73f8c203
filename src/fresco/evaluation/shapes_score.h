#pragma once
// What was said against what was drawn. Free of libtorch.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/evaluation/shapes_reader.h"

namespace fresco::evaluation {

/// Scenes that no training shows, with captions that differ from each other; the same for the same seed.
std::vector<data::shapes::Scene> unseen_scenes(data::shapes::Split split, int64_t count, uint64_t seed);

/// One picture. A thing that is said goes with the one read of its colour; those left over go together by size.
struct ShapesVerdict {
  bool background = false;
  bool colours = false;  // those said cover most beside the background
  bool clean = false;    // and there are no others
  bool has_relation = false;
  bool relation = false;                                     // the thing of the first colour stands so to the other
  int named = 0, shapes = 0;                                 // shapes said, and drawn
  std::array<std::optional<data::shapes::Shape>, 2> read{};  // the shape that goes with each thing said
  std::array<bool, 2> there{};                               // whether one does
  bool all() const { return background && clean && (!has_relation || relation) && shapes == named; }
};
ShapesVerdict judge(const data::shapes::Scene& scene, const Reading& reading);

struct Share {
  int64_t right = 0, of = 0;
  void add(bool good) { right += good, ++of; }
  double per_cent() const { return of == 0 ? 0 : 100.0 * static_cast<double>(right) / static_cast<double>(of); }
};

/// Over many pictures. backgrounds, colours, clean and all: a picture each; relations: a picture of two things each; shapes: a named shape each.
struct ShapesScore {
  Share backgrounds, colours, clean, relations, shapes, all;
  /// [said][read]; the last column counts those of no known shape, or not there.
  std::array<std::array<int64_t, data::shapes::kShapeNames.size() + 1>, data::shapes::kShapeNames.size()> confusion{};
  void add(const data::shapes::Scene& scene, const ShapesVerdict& verdict);
};

/// {"pictures", "backgrounds", "colours", "clean", "relations", "shapes", "all"}: per cent, with "counts" beside them.
Json to_json(const ShapesScore& score);
Json to_json(const ShapesVerdict& verdict);
Json to_json(const Reading& reading);

}  // namespace fresco::evaluation
