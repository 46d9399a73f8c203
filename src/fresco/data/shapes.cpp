// What stands in a scene, and what is said of it.
#include "fresco/data/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/data/counter_random.h"

namespace fresco::data::shapes {
namespace {

constexpr size_t kThingColours = 8;   // gray and pink are backgrounds alone
constexpr uint64_t kUnseenShare = 8;  // one in so many combinations
constexpr int kFraction = 64;         // places are multiples of 1/64 unit: sums and scaling of them are exact

constexpr std::array<Colour, 8> kBackgrounds = {Colour::white,  Colour::gray,  Colour::black, Colour::pink,
                                                Colour::yellow, Colour::green, Colour::blue,  Colour::red};
constexpr std::array<Shape, 4> kContainers = {Shape::circle, Shape::square, Shape::ring, Shape::triangle};
constexpr std::array<Extent, 4> kExtents = {Extent::ordinary, Extent::ordinary, Extent::small, Extent::large};
constexpr std::array<Rgb, 10> kPalette = {{{220, 30, 35},
                                           {250, 140, 15},
                                           {250, 225, 40},
                                           {35, 150, 60},
                                           {35, 75, 215},
                                           {125, 40, 165},
                                           {15, 15, 15},
                                           {248, 248, 248},
                                           {135, 135, 140},
                                           {250, 165, 195}}};

/// The numbers of one scene, one after the other.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t index) : key_{seed, Purpose::scene, static_cast<int64_t>(index)} {}
  uint64_t below(uint64_t bound) { return uniform_below(key_, bound, next_++); }
  template <typename List>
  const auto& pick(const List& list) {
    return list[static_cast<size_t>(below(std::size(list)))];
  }

 private:
  RandomKey key_;
  uint32_t next_ = 0;
};

double between(RandomStream& random, double least, double most) {
  const auto steps = static_cast<uint64_t>((most - least) * kFraction);
  return std::round(least * kFraction + static_cast<double>(random.below(steps + 1))) / kFraction;
}

double around(RandomStream& random, double middle, double reach) {
  return between(random, middle - reach, middle + reach);
}

Colour any_colour(RandomStream& random) { return static_cast<Colour>(random.below(kThingColours)); }
Shape any_shape(RandomStream& random) { return static_cast<Shape>(random.below(kShapeNames.size())); }

Colour any_background(RandomStream& random, const Scene& scene) {
  const auto taken = [&](Colour colour) {
    return std::ranges::any_of(scene.things, [&](const Thing& thing) { return thing.colour == colour; });
  };
  if (!scene.says_background) return taken(Colour::white) ? Colour::gray : Colour::white;
  std::vector<Colour> free;
  std::ranges::copy_if(kBackgrounds, std::back_inserter(free), [&](Colour colour) { return !taken(colour); });
  return random.pick(free);
}

void add_single_thing(RandomStream& random, Scene& scene) {
  Thing thing{.shape = any_shape(random), .colour = any_colour(random)};
  scene.extent = random.pick(kExtents);
  constexpr std::array<std::pair<double, double>, 3> kRadii = {{{29, 35}, {15, 19}, {46, 50}}};
  const auto [least, most] = kRadii[index_of(scene.extent)];
  thing.radius = between(random, least, most);
  const double reach = std::floor(std::min(8.0, 62 - 1.1 * thing.radius) * kFraction) / kFraction;
  thing.x = around(random, kUnits / 2, reach);
  thing.y = around(random, kUnits / 2, reach);
  scene.things = {thing};
}

void place_inside(RandomStream& random, Thing& inner, Thing& outer) {
  outer.x = inner.x = around(random, kUnits / 2, 5);
  outer.y = inner.y = around(random, kUnits / 2, 5);
  if (outer.shape == Shape::triangle) inner.y += 6;  // where it is wide enough
  outer.radius = between(random, 47, 52);
  inner.radius = between(random, 16, 19);
}

void place_beside(RandomStream& random, Relation relation, Thing& first, Thing& second) {
  first.radius = between(random, 20, 25);
  second.radius = between(random, 20, 25);
  const double gap = between(random, 29, 32);
  const double x = around(random, kUnits / 2, 4), y = around(random, kUnits / 2, 4);
  const double dx = relation == Relation::left_of ? -gap : relation == Relation::right_of ? gap : 0;
  const double dy = relation == Relation::above ? -gap : relation == Relation::below ? gap : 0;
  first.x = x + dx, first.y = y + dy;
  second.x = x - dx, second.y = y - dy;
}

void add_two_things(RandomStream& random, Scene& scene) {
  scene.relation = static_cast<Relation>(1 + random.below(kRelationNames.size() - 1));
  Thing first{.shape = any_shape(random), .colour = any_colour(random)};
  Thing second;
  second.colour = static_cast<Colour>((index_of(first.colour) + 1 + random.below(kThingColours - 1)) % kThingColours);
  second.shape = scene.relation == Relation::inside ? random.pick(kContainers) : any_shape(random);
  if (scene.relation == Relation::inside)
    place_inside(random, first, second);
  else
    place_beside(random, scene.relation, first, second);
  scene.things = {first, second};
}

std::string with_article(std::string_view words) {
  return fmt::format("{} {}", std::string_view("aeiou").find(words.front()) == std::string_view::npos ? "a" : "an",
                     words);
}

std::string words_of(const Thing& thing) { return fmt::format("{} {}", name(thing.colour), name(thing.shape)); }

std::string said_things(RandomStream& random, const Scene& scene) {
  const Thing& first = scene.things.front();
  if (scene.things.size() == 1) {
    if (scene.extent == Extent::ordinary) return with_article(words_of(first));
    return with_article(fmt::format("{} {}", name(scene.extent), words_of(first)));
  }
  const bool sideways = scene.relation == Relation::left_of || scene.relation == Relation::right_of;
  const char* extra = sideways && random.below(2) == 1 ? "to the " : "";
  return fmt::format("{} {}{} {}", with_article(words_of(first)), extra, name(scene.relation),
                     with_article(words_of(scene.things[1])));
}

std::string said_of(RandomStream& random, const Scene& scene) {
  std::string text = said_things(random, scene);
  const std::string_view background = name(scene.background);
  if (scene.says_background) {
    switch (random.below(4)) {
      case 0:
        text += fmt::format(", {} background", background);
        break;
      case 1:
        text += fmt::format(" on {}", background);
        break;
      default:
        text += fmt::format(" on {} background", with_article(background));
    }
  }
  constexpr std::array<std::string_view, 6> kBeginnings = {"", "", "", "", "a picture of ", "a drawing of "};
  return std::string(random.pick(kBeginnings)) + text;
}

Scene any_scene(RandomStream& random) {
  Scene scene;
  scene.says_background = random.below(100) < 85;
  if (random.below(2) == 0)
    add_single_thing(random, scene);
  else
    add_two_things(random, scene);
  scene.background = any_background(random, scene);
  scene.caption = said_of(random, scene);
  return scene;
}

/// What the scene combines, without how it is worded and where exactly things lie.
uint64_t combination(const Scene& scene) {
  uint64_t hash = index_of(scene.background);
  const auto add = [&hash](uint64_t word) { hash = derived_seed(hash, word); };
  add(index_of(scene.extent));
  add(index_of(scene.relation));
  for (const Thing& thing : scene.things) add(16 * index_of(thing.colour) + index_of(thing.shape));
  return hash;
}

}  // namespace

Rgb rgb(Colour colour) { return kPalette[index_of(colour)]; }

bool held_out(Colour colour, Shape shape) { return (index_of(colour) + 3 * index_of(shape)) % kThingColours == 2; }

std::vector<std::pair<Colour, Shape>> held_out_things() {
  std::vector<std::pair<Colour, Shape>> pairs;
  for (size_t shape = 0; shape < kShapeNames.size(); ++shape) {
    for (size_t colour = 0; colour < kThingColours; ++colour) {
      if (held_out(static_cast<Colour>(colour), static_cast<Shape>(shape)))
        pairs.emplace_back(static_cast<Colour>(colour), static_cast<Shape>(shape));
    }
  }
  return pairs;
}

Split split_of(const Scene& scene) {
  if (std::ranges::any_of(scene.things, [](const Thing& thing) { return held_out(thing.colour, thing.shape); }))
    return Split::held_out;
  return combination(scene) % kUnseenShare == 0 ? Split::unseen : Split::training;
}

Scene scene(uint64_t seed, uint64_t index, Split split) {
  RandomStream random(seed, index);
  for (;;) {
    Scene found = any_scene(random);
    if (split_of(found) == split) return found;
  }
}

Json attributes(const Scene& scene) {
  const Thing& first = scene.things.front();
  const bool two = scene.things.size() == 2;
  return {{"background", name(scene.background)},
          {"relation", name(scene.relation)},
          {"size", name(scene.extent)},
          {"colour_1", name(first.colour)},
          {"shape_1", name(first.shape)},
          {"colour_2", two ? name(scene.things[1].colour) : "none"},
          {"shape_2", two ? name(scene.things[1].shape) : "none"}};
}

}  // namespace fresco::data::shapes
