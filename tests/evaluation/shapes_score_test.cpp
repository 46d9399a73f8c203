#include "fresco/evaluation/shapes_score.h"

#include <gtest/gtest.h>

#include <set>

namespace fresco::evaluation {
namespace {

using data::shapes::Colour;
using data::shapes::Relation;
using data::shapes::Scene;
using data::shapes::Shape;
using data::shapes::Split;

const Scene kScene{
    .background = Colour::pink,
    .relation = Relation::above,
    .things = {{.shape = Shape::star, .colour = Colour::red}, {.shape = Shape::ring, .colour = Colour::blue}}};

ReadThing thing(Colour colour, Shape shape, double y) {
  return {.colour = colour, .shape = shape, .x = 64, .y = y, .radius = 22};
}

TEST(ShapesScore, WhatIsAsSaidIsRight) {
  const auto verdict =
      judge(kScene, {Colour::pink, {thing(Colour::blue, Shape::ring, 95), thing(Colour::red, Shape::star, 34)}});
  EXPECT_TRUE(verdict.all());
  EXPECT_EQ(verdict.shapes, 2);
}

TEST(ShapesScore, EachMistakeCountsWhereItBelongs) {
  const auto swapped =
      judge(kScene, {Colour::pink, {thing(Colour::blue, Shape::ring, 34), thing(Colour::red, Shape::star, 95)}});
  EXPECT_TRUE(swapped.background && swapped.colours && swapped.shapes == 2);
  EXPECT_FALSE(swapped.relation);
  const auto other =
      judge(kScene, {Colour::gray, {thing(Colour::blue, Shape::ring, 95), thing(Colour::green, Shape::cross, 34)}});
  EXPECT_FALSE(other.background || other.colours);
  EXPECT_TRUE(other.relation);  // the blue thing tells which is which
  EXPECT_EQ(other.shapes, 1);
  EXPECT_EQ(other.read[0], Shape::cross);
  const auto lone = judge(kScene, {Colour::pink, {thing(Colour::red, Shape::star, 34)}});
  EXPECT_FALSE(lone.colours || lone.relation || lone.there[1]);
  EXPECT_EQ(lone.shapes, 1);
  const auto strange =
      judge(kScene, {Colour::pink, {thing(Colour::black, Shape::star, 34), thing(Colour::green, Shape::ring, 95)}});
  EXPECT_FALSE(strange.relation);
  const auto third = judge(kScene, {Colour::pink,
                                    {thing(Colour::blue, Shape::ring, 95), thing(Colour::red, Shape::star, 34),
                                     thing(Colour::black, Shape::star, 64)}});
  EXPECT_TRUE(third.colours);
  EXPECT_FALSE(third.clean || third.all());
  EXPECT_TRUE(third.relation);
}

TEST(ShapesScore, CountsAddUp) {
  ShapesScore score;
  score.add(kScene,
            judge(kScene, {Colour::pink, {thing(Colour::blue, Shape::ring, 95), thing(Colour::red, Shape::star, 34)}}));
  score.add(kScene, judge(kScene, {Colour::gray, {}}));
  const Json json = to_json(score);
  EXPECT_EQ(json.at("pictures"), 2);
  EXPECT_EQ(json.at("backgrounds"), 50);
  EXPECT_EQ(json.at("counts").at("shapes"), Json::array({2, 4}));
  EXPECT_EQ(score.confusion[data::shapes::index_of(Shape::star)][data::shapes::index_of(Shape::star)], 1);
  EXPECT_EQ(score.confusion[data::shapes::index_of(Shape::star)].back(), 1);
}

TEST(ShapesScore, SentencesDifferAndAreNeverTrainedOn) {
  for (const Split split : {Split::unseen, Split::held_out}) {
    std::set<std::string> captions;
    for (const Scene& scene : unseen_scenes(split, 200, 1)) {
      EXPECT_EQ(data::shapes::split_of(scene), split);
      captions.insert(scene.caption);
    }
    EXPECT_EQ(captions.size(), 200U);
  }
}

}  // namespace
}  // namespace fresco::evaluation
