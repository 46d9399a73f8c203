#include "fresco/training/read_recipe.h"

#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/training/recipe_reader.h"

namespace fresco::training {
namespace {

constexpr uint64_t kLargestFile = 1 << 20;
constexpr size_t kMostPhases = 100;

using Kind = YamlNode::Kind;

// One source may stand without a list, a folder without a map.
void spell_out_data(YamlNode& phase) {
  YamlNode* data = phase.find("data");
  if (!data || data->kind == Kind::null) return;
  if (data->kind != Kind::list) {
    YamlNode list{.kind = Kind::list, .line = data->line, .inherited = data->inherited};
    list.elements.push_back(std::move(*data));
    *data = std::move(list);
  }
  for (auto& source : data->elements) {
    if (source.kind != Kind::scalar) continue;
    YamlNode map{.kind = Kind::map, .line = source.line, .inherited = source.inherited};
    map.put("path", std::move(source));
    source = std::move(map);
  }
}

class Preparation {
 public:
  Preparation(YamlNode& root, std::string place) : root_(root), place_(std::move(place)) {}

  void run() {
    if (root_.kind != Kind::map) refuse(root_, expected_got("a map of keys", root_.described()));
    YamlNode defaults = root_.take("defaults");
    if (defaults.kind != Kind::map && defaults.kind != Kind::null)
      refuse(defaults, "defaults: " + expected_got("a map of keys", defaults.described()));
    for (const char* own : {"name", "like"})
      if (const YamlNode* found = defaults.find(own))
        refuse(*found, fmt::format("defaults.{}: belongs to a single phase", own));
    spell_out_data(defaults);
    YamlNode* phases = root_.find("phases");
    if (!phases || phases->kind != Kind::list) return;
    if (phases->elements.size() > kMostPhases) refuse(*phases, fmt::format("phases: more than {}", kMostPhases));
    for (auto& phase : phases->elements) prepare(phase, *phases, defaults);
  }

 private:
  [[noreturn]] void refuse(const YamlNode& node, std::string_view problem) const {
    throw InputError(fmt::format("{}:{}", place_, node.line), problem);
  }

  void prepare(YamlNode& phase, const YamlNode& phases, const YamlNode& defaults) {
    if (phase.kind != Kind::map) return;
    spell_out_data(phase);  // first, so that it is taken whole like any list
    const YamlNode like = phase.take("like");
    if (like.kind != Kind::null) merge_under(phase, named_before(phase, phases, like));
    merge_under(phase, defaults);
  }

  YamlNode named_before(const YamlNode& phase, const YamlNode& phases, const YamlNode& like) const {
    for (const auto& earlier : phases.elements) {
      if (&earlier == &phase) break;
      const YamlNode* name = earlier.find("name");
      if (!name || like.kind != Kind::scalar || name->text != like.text) continue;
      YamlNode copy = earlier;
      copy.take("name");
      return copy;
    }
    refuse(like, "like: " + expected_got("the name of a phase before this one", like.described()));
  }

  YamlNode& root_;
  std::string place_;
};

}  // namespace

Recipe read_recipe(const std::filesystem::path& file) {
  std::error_code unreadable;
  if (std::filesystem::is_directory(file, unreadable))
    throw InputError(file.string(), "expected a recipe, a YAML file; got a folder");
  return parse_recipe(read_file(file, kLargestFile), file);
}

Recipe parse_recipe(const std::string& text, const std::filesystem::path& place) {
  YamlNode root = parse_yaml(text, place.string());
  Preparation(root, place.string()).run();
  Recipe recipe;
  recipe.place = place.string();
  RecipeReader reader(root, place);
  visit_fields(recipe, reader);
  reader.finish();
  if (recipe.name.empty()) recipe.name = place.stem().string();
  for (size_t i = 0; i < recipe.phases.size(); ++i) {
    auto& phase = recipe.phases[i];
    if (phase.name.empty()) phase.name = fmt::format("{}-{}", i + 1, words_of(kinds_of(phase.kind)));
  }
  return recipe;
}

}  // namespace fresco::training
