#include "fresco/evaluation/shapes_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fresco/data/counter_random.h"
#include "fresco/image/resize.h"

namespace fresco::evaluation {
namespace {

using data::shapes::Relation;
using data::shapes::Scene;
using data::shapes::Split;

/// Whether all that the scene says is read.
bool reads(const Scene& scene, const Reading& reading) {
  if (reading.background != scene.background || reading.things.size() != scene.things.size()) return false;
  std::vector<const ReadThing*> found;
  for (const auto& said : scene.things) {
    const auto thing = std::ranges::find(reading.things, said.colour, &ReadThing::colour);
    if (thing == reading.things.end() || thing->shape != said.shape) return false;
    if (std::abs(thing->x - said.x) + std::abs(thing->y - said.y) + std::abs(thing->radius - said.radius) > 4)
      return false;
    found.push_back(&*thing);
  }
  return found.size() == 1 || relation_of(*found[0], *found[1]) == scene.relation;
}

using Change = image::Picture (*)(const image::Picture&, uint64_t seed);

/// Share of right readings over scenes of every kind, each picture changed first.
double share_read(int count, Change change, int64_t size = 128) {
  int right = 0;
  std::string misread;
  for (int i = 0; i < count; ++i) {
    const Scene scene = data::shapes::scene(11, static_cast<uint64_t>(i), static_cast<Split>(i % 3));
    const Reading reading = read_shapes(change(data::shapes::draw_scene(scene, size), static_cast<uint64_t>(i)));
    if (reads(scene, reading))
      ++right;
    else
      misread += scene.caption + " was read as " + text_of(reading) + "\n";
  }
  testing::Test::RecordProperty("misread", misread);
  return static_cast<double>(right) / count;
}

image::Picture same(const image::Picture& picture, uint64_t) { return picture; }

/// Shrunk to 5/8 and enlarged again, then noise of up to 20 of 255 on every channel.
image::Picture worn(const image::Picture& picture, uint64_t seed) {
  image::Picture out =
      image::resize(image::resize(picture, 80, 80), picture.width, picture.height, image::Filter::bilinear);
  const data::RandomKey key{seed, data::Purpose::noise, 0};
  for (size_t i = 0; i < out.pixels.size(); ++i) {
    const int noise = static_cast<int>(data::uniform_below(key, 41, static_cast<uint32_t>(i))) - 20;
    out.pixels[i] = static_cast<uint8_t>(std::clamp(out.pixels[i] + noise, 0, 255));
  }
  return out;
}

TEST(ShapesReader, ReadsEveryTruePicture) { EXPECT_EQ(share_read(150, same), 1); }

TEST(ShapesReader, ReadsLargerAndSmallerPictures) {
  EXPECT_EQ(share_read(30, same, 256), 1);
  EXPECT_GE(share_read(30, same, 96), 0.96);
}

TEST(ShapesReader, ReadsThroughBlurAndNoise) { EXPECT_GE(share_read(150, worn), 0.99); }

TEST(ShapesReader, SaysWhatIsNotThere) {
  image::Picture plain = image::blank_picture(128, 128, 3, "plain");
  EXPECT_EQ(text_of(read_shapes(plain)), "nothing on black");
  // A bar is none of the shapes.
  for (int row = 60; row < 68; ++row) std::fill_n(plain.at(row, 10), 3 * 100, uint8_t{248});
  const Reading bar = read_shapes(plain);
  ASSERT_EQ(bar.things.size(), 1U);
  EXPECT_FALSE(bar.things[0].shape);
  EXPECT_EQ(text_of(bar), "white thing on black");
}

TEST(ShapesReader, RelationsAreThoseOfThePlaces) {
  const ReadThing middle{.x = 64, .y = 64, .radius = 40};
  EXPECT_EQ(relation_of({.x = 66, .y = 60, .radius = 16}, middle), Relation::inside);
  EXPECT_EQ(relation_of({.x = 10, .y = 60, .radius = 16}, middle), Relation::left_of);
  EXPECT_EQ(relation_of({.x = 120, .y = 60, .radius = 16}, middle), Relation::right_of);
  EXPECT_EQ(relation_of({.x = 66, .y = 10, .radius = 16}, middle), Relation::above);
  EXPECT_EQ(relation_of({.x = 66, .y = 120, .radius = 16}, middle), Relation::below);
}

}  // namespace
}  // namespace fresco::evaluation
