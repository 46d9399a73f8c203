#include "fresco/data/shapes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fresco/core/sha256.h"

namespace fresco::data::shapes {
namespace {

using testing::AnyOf;
using testing::StartsWith;

std::string digest(const image::Picture& picture) {
  return sha256_hex({reinterpret_cast<const char*>(picture.pixels.data()), picture.pixels.size()});
}

/// x, y: units, as in a scene.
Rgb colour_at(const image::Picture& picture, double x, double y) {
  const double scale = static_cast<double>(picture.width) / kUnits;
  const uint8_t* pixel = picture.at(static_cast<int64_t>(y * scale), static_cast<int64_t>(x * scale));
  return {pixel[0], pixel[1], pixel[2]};
}

TEST(Shapes, ASceneIsAFunctionOfSeedAndIndexAlone) {
  EXPECT_EQ(scene(1, 7).caption, scene(1, 7).caption);
  std::set<std::string> captions;
  for (uint64_t i = 0; i < 100; ++i) captions.insert(scene(1, i).caption);
  EXPECT_GT(captions.size(), 90U);
  EXPECT_NE(scene(1, 7).caption, scene(2, 7).caption);
}

// Written down once: whatever changes them changes every data set that was ever named by a seed.
TEST(Shapes, PicturesAndCaptionsOfASeedStayWhatTheyAre) {
  std::string captions, pixels;
  for (uint64_t i = 0; i < 50; ++i) {
    captions += scene(0, i).caption + "\n";
    pixels += digest(draw_scene(scene(0, i), 64));
  }
  EXPECT_EQ(sha256_hex(captions).substr(0, 16), "12988b220bfbca17");
  EXPECT_EQ(sha256_hex(pixels).substr(0, 16), "a900f6329a4f7044");
}

TEST(Shapes, CaptionsNameWhatIsDrawn) {
  for (uint64_t i = 0; i < 500; ++i) {
    const Scene one = scene(3, i);
    SCOPED_TRACE(one.caption);
    for (const Thing& thing : one.things) {
      EXPECT_NE(one.caption.find(std::string(name(thing.colour)) + " " + std::string(name(thing.shape))),
                std::string::npos);
      EXPECT_NE(thing.colour, one.background);
    }
    EXPECT_EQ(one.caption.find(name(one.background)) != std::string::npos, one.says_background);
    EXPECT_EQ(one.things.size() == 2, one.relation != Relation::none);
    EXPECT_THAT(one.caption, AnyOf(StartsWith("a "), StartsWith("an orange ")));
    const auto told = attributes(one);
    EXPECT_EQ(told.at("colour_1"), name(one.things[0].colour));
    EXPECT_EQ(told.at("shape_2"), one.things.size() == 2 ? name(one.things[1].shape) : "none");
  }
}

TEST(Shapes, ThingsLieWhereTheRelationSays) {
  for (uint64_t i = 0; i < 500; ++i) {
    const Scene two = scene(4, i);
    if (two.things.size() != 2) continue;
    SCOPED_TRACE(two.caption);
    const Thing &a = two.things[0], &b = two.things[1];
    if (two.relation == Relation::above) {
      EXPECT_LT(a.y + a.radius, b.y);
    }
    if (two.relation == Relation::below) {
      EXPECT_GT(a.y - a.radius, b.y);
    }
    if (two.relation == Relation::left_of) {
      EXPECT_LT(a.x + a.radius, b.x);
    }
    if (two.relation == Relation::right_of) {
      EXPECT_GT(a.x - a.radius, b.x);
    }
    if (two.relation == Relation::inside) {
      EXPECT_LT(a.radius, 0.5 * b.radius);
    }
  }
}

TEST(Shapes, ColoursStandWhereThingsLie) {
  for (uint64_t i = 0; i < 300; ++i) {
    const Scene one = scene(5, i);
    SCOPED_TRACE(one.caption);
    const image::Picture picture = draw_scene(one);
    for (const auto& [x, y] : {std::pair{1, 1}, {126, 1}, {1, 126}, {126, 126}})
      EXPECT_EQ(colour_at(picture, x, y), rgb(one.background));
    const Thing& first = one.things[0];
    const bool hollow = first.shape == Shape::ring;
    EXPECT_EQ(colour_at(picture, first.x + (hollow ? 0.8 * first.radius : 0), first.y), rgb(first.colour));
  }
}

TEST(Shapes, ALargerPictureShowsTheSameScene) {
  const Scene one = scene(6, 3);
  for (const int64_t size : {32, 100, 256}) {
    const image::Picture picture = draw_scene(one, size);
    EXPECT_EQ(picture.width, size);
    EXPECT_EQ(colour_at(picture, 2, 2), rgb(one.background));
  }
}

// By Green's theorem or by hand, for radius 1.
TEST(Shapes, AreasAreThoseOfTheFigures) {
  const std::map<Shape, double> areas = {{Shape::circle, 3.14159},
                                         {Shape::square, 4 * 0.88 * 0.88},
                                         {Shape::triangle, 1.85},
                                         {Shape::star, 5 * 1.1 * 0.46 * 0.5877852522924731},
                                         {Shape::ring, 3.14159 * (1 - 0.62 * 0.62)},
                                         {Shape::cross, 4 * 2 * 0.34 - 4 * 0.34 * 0.34}};
  for (const auto& [shape, area] : areas) {
    constexpr int kSteps = 1200;
    int64_t covered = 0;
    for (int i = 0; i < kSteps; ++i) {
      for (int k = 0; k < kSteps; ++k)
        covered += covers(shape, -1.2 + 2.4 * (i + 0.5) / kSteps, -1.2 + 2.4 * (k + 0.5) / kSteps);
    }
    // A step is 1/500: the error is at most a step along the outline, which is shorter than 9.
    EXPECT_NEAR(static_cast<double>(covered) * 2.4 * 2.4 / kSteps / kSteps, area, 0.018) << name(shape);
  }
}

TEST(Shapes, TrainingNeverShowsWhatIsMeasured) {
  ASSERT_EQ(held_out_things().size(), 6U);
  std::set<Colour> colours;
  for (const auto& [colour, shape] : held_out_things()) colours.insert(colour);
  EXPECT_EQ(colours.size(), 6U);  // no colour and no shape is missed altogether
  std::map<Split, int> counts;
  for (uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(split_of(scene(1, i)), Split::training);
    EXPECT_EQ(split_of(scene(1, i, Split::unseen)), Split::unseen);
    const Scene kept = scene(1, i, Split::held_out);
    EXPECT_TRUE(held_out(kept.things[0].colour, kept.things[0].shape) ||
                held_out(kept.things.back().colour, kept.things.back().shape));
  }
}

}  // namespace
}  // namespace fresco::data::shapes
