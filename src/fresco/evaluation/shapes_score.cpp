#include "fresco/evaluation/shapes_score.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

namespace fresco::evaluation {
namespace {

using data::shapes::Scene;

/// The thing read that goes with each thing said; null where there are fewer.
std::array<const ReadThing*, 2> matched(const Scene& scene, const Reading& reading) {
  std::array<const ReadThing*, 2> found{};
  std::set<const ReadThing*> taken;
  for (size_t k = 0; k < scene.things.size(); ++k) {
    const auto thing = std::ranges::find(reading.things, scene.things[k].colour, &ReadThing::colour);
    if (thing != reading.things.end()) taken.insert(found[k] = &*thing);
  }
  for (size_t k = 0; k < scene.things.size(); ++k) {
    const auto left =
        std::ranges::find_if(reading.things, [&](const ReadThing& thing) { return !taken.contains(&thing); });
    if (found[k] == nullptr && left != reading.things.end()) taken.insert(found[k] = &*left);
  }
  return found;
}

/// Whether the largest things read, as many as were said, have the colours that were said.
bool same_colours(const Scene& scene, const Reading& reading) {
  if (reading.things.size() < scene.things.size()) return false;
  const auto largest = std::span(reading.things).first(scene.things.size());
  return std::ranges::all_of(scene.things, [&](const auto& said) {
    return std::ranges::count(largest, said.colour, &ReadThing::colour) == 1;
  });
}

double rounded(double value) { return std::round(value * 100) / 100; }

Json to_json(const Share& share) { return Json::array({share.right, share.of}); }

}  // namespace

std::vector<Scene> unseen_scenes(data::shapes::Split split, int64_t count, uint64_t seed) {
  std::vector<Scene> scenes;
  std::set<std::string> captions;
  for (uint64_t index = 0; std::ssize(scenes) < count; ++index) {
    Scene scene = data::shapes::scene(seed, index, split);
    if (captions.insert(scene.caption).second) scenes.push_back(std::move(scene));
  }
  return scenes;
}

ShapesVerdict judge(const Scene& scene, const Reading& reading) {
  const auto found = matched(scene, reading);
  ShapesVerdict verdict;
  verdict.background = reading.background == scene.background;
  verdict.colours = same_colours(scene, reading);
  verdict.clean = verdict.colours && reading.things.size() == scene.things.size();
  verdict.has_relation = scene.things.size() == 2;
  // Which of two is the first is told by a colour: with neither there is no telling.
  const bool told = found[0] != nullptr && found[1] != nullptr &&
                    (found[0]->colour == scene.things[0].colour || found[1]->colour == scene.things.back().colour);
  verdict.relation = verdict.has_relation && told && relation_of(*found[0], *found[1]) == scene.relation;
  verdict.named = static_cast<int>(scene.things.size());
  for (size_t k = 0; k < scene.things.size(); ++k) {
    verdict.there[k] = found[k] != nullptr;
    if (found[k] != nullptr) verdict.read[k] = found[k]->shape;
    verdict.shapes += verdict.read[k] == scene.things[k].shape;
  }
  return verdict;
}

void ShapesScore::add(const Scene& scene, const ShapesVerdict& verdict) {
  backgrounds.add(verdict.background);
  colours.add(verdict.colours);
  clean.add(verdict.clean);
  if (verdict.has_relation) relations.add(verdict.relation);
  for (size_t k = 0; k < scene.things.size(); ++k) {
    shapes.add(verdict.read[k] == scene.things[k].shape);
    const size_t column = verdict.read[k] ? data::shapes::index_of(*verdict.read[k]) : data::shapes::kShapeNames.size();
    ++confusion[data::shapes::index_of(scene.things[k].shape)][column];
  }
  all.add(verdict.all());
}

Json to_json(const ShapesScore& score) {
  Json json = {{"pictures", score.all.of}}, counts;
  const auto put = [&](const char* key, const Share& share) {
    json[key] = rounded(share.per_cent());
    counts[key] = to_json(share);
  };
  put("backgrounds", score.backgrounds);
  put("colours", score.colours);
  put("clean", score.clean);
  put("relations", score.relations);
  put("shapes", score.shapes);
  put("all", score.all);
  json["counts"] = counts;
  json["confusion"] = score.confusion;
  return json;
}

Json to_json(const ShapesVerdict& verdict) {
  return {{"background", verdict.background},
          {"colours", verdict.colours},
          {"clean", verdict.clean},
          {"relation", verdict.has_relation ? Json(verdict.relation) : Json()},
          {"shapes", Json::array({verdict.shapes, verdict.named})}};
}

Json to_json(const Reading& reading) {
  Json things = Json::array();
  for (const ReadThing& thing : reading.things) {
    things.push_back({{"colour", name(thing.colour)},
                      {"shape", thing.shape ? Json(name(*thing.shape)) : Json()},
                      {"x", rounded(thing.x)},
                      {"y", rounded(thing.y)},
                      {"radius", rounded(thing.radius)},
                      {"area", thing.area},
                      {"likeness", rounded(thing.likeness)}});
  }
  return {{"background", name(reading.background)}, {"things", things}};
}

}  // namespace fresco::evaluation
