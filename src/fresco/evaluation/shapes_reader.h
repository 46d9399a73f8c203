#pragma once
// What a picture of shapes shows, told from its pixels alone. Free of libtorch.
#include <optional>
#include <string>
#include <vector>

#include "fresco/data/shapes.h"
#include "fresco/image/picture.h"

namespace fresco::evaluation {

struct ReadThing {
  data::shapes::Colour colour{};
  /// The shape whose outline, moved and scaled, covers the thing's pixels best; nothing where none covers them well.
  std::optional<data::shapes::Shape> shape;
  double x = 0, y = 0, radius = 0;  // units of data::shapes; of the best outline
  int64_t area = 0;                 // pixels of 128x128
  double likeness = 0;              // intersection over union with it, 0..1
};

struct Reading {
  data::shapes::Colour background{};
  std::vector<ReadThing> things;  // the largest area first; one for each colour that is no background
};

/// By nearest colour of the palette, against blur and noise as an autoencoder adds them. A picture of another size is brought to 128x128.
/// Errors: FormatError for a picture without pixels.
Reading read_shapes(const image::Picture& picture);

/// Of `a` to `b`: inside where a's extent lies within b's, else the direction in which they are further apart.
data::shapes::Relation relation_of(const ReadThing& a, const ReadThing& b);

/// "red ring, blue star on yellow"; an unknown shape is a "thing".
std::string text_of(const Reading& reading);

}  // namespace fresco::evaluation
