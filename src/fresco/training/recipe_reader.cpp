#include "fresco/training/recipe_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/training/print_recipe.h"
#include "fresco/training/yaml_scalars.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestPath = 4096;

// What was expected of a value outside its range; empty for one inside.
std::string wanted(double value, const Range& range) {
  if (value > range.most) return fmt::format("at most {}", range.most);
  return value < range.least || (range.above && value <= range.least) ? words_of(range) : "";
}

// "owner/name", as models are called on a hub.
bool looks_like_hub_id(std::string_view text) {
  const size_t slash = text.find('/');
  return slash != text.npos && slash > 0 && slash + 1 < text.size() && text.find('/', slash + 1) == text.npos &&
         text.front() != '.' && text.front() != '~';
}

// Keys anywhere in a recipe that end in `key`: somebody who writes learning_rate beside steps means
// optimizer.learning_rate.
std::string elsewhere(const std::string& key) {
  for (const auto& info : recipe_keys()) {
    const auto dot = info.path.rfind('.');
    if (info.path.substr(dot == std::string::npos ? 0 : dot + 1) == key) return info.path;
  }
  return {};
}

}  // namespace

RecipeReader::RecipeReader(const YamlNode& root, fs::path place) : place_(std::move(place)) {
  levels_.push_back({&root, "", {}});
}

std::string RecipeReader::at(const Field& field) const {
  const auto& path = levels_.back().path;
  return path.empty() ? field.key : path + "." + field.key;
}

void RecipeReader::refuse(const YamlNode& node, const std::string& path, std::string_view problem) const {
  const std::string where = fmt::format("{}:{}", place_.string(), node.line);
  throw InputError(where, path.empty() ? std::string(problem) : fmt::format("{}: {}", path, problem));
}

void RecipeReader::refuse_type(const YamlNode& node, const Field& field, std::string_view wanted) const {
  refuse(node, at(field), expected_got(wanted, node.described()));
}

const YamlNode* RecipeReader::stated(const Field& field) {
  Level& level = levels_.back();
  level.known.emplace_back(field.key);
  const YamlNode* node = level.node->find(field.key);
  if (!node) return nullptr;
  if (!(field.kinds & kinds_) && !node->inherited)
    refuse(*node, at(field),
           fmt::format("has no meaning in a phase of kind {}, only in one of kind {}", words_of(kinds_),
                       words_of(field.kinds)));
  return node;
}

void RecipeReader::leave() {
  const Level level = std::move(levels_.back());
  levels_.pop_back();
  const YamlNode& map = *level.node;
  for (size_t i = 0; i < map.keys.size(); ++i) refuse_unknown(level, map.keys[i], map.elements[i]);
}

void RecipeReader::refuse_unknown(const Level& level, const std::string& key, const YamlNode& value) const {
  const auto& known = level.known;
  if (std::find(known.begin(), known.end(), key) != known.end()) return;
  std::string hint = nearest_name(key, known.data(), known.size());
  if (hint.empty()) hint = elsewhere(key);
  const std::string named = printable(key, 60);
  refuse(value, level.path.empty() ? named : level.path + "." + named,
         hint.empty() ? "no such key; known are " + joined(known) : fmt::format("no such key; did you mean {}?", hint));
}

std::string RecipeReader::resolved(const std::string& text) const {
  if (text.empty() || text == "shapes" || text.find("://") != text.npos) return text;
  fs::path path = fs::absolute(place_.parent_path() / text).lexically_normal();
  if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();  // a slash at the end
  return path.string();
}

void RecipeReader::text(const Field& field, std::string& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  if (node->kind != YamlNode::Kind::scalar && node->kind != YamlNode::Kind::null) refuse_type(*node, field, "a text");
  value = node->kind == YamlNode::Kind::null ? "" : node->text;
}

void RecipeReader::path(const Field& field, std::string& value) {
  const YamlNode* node = levels_.back().node->find(field.key);
  text(field, value);
  if (!node) return;
  if (value.size() > kLongestPath) refuse(*node, at(field), fmt::format("longer than {} characters", kLongestPath));
  value = resolved(value);
}

void RecipeReader::model(const Field& field, std::string& value) {
  const std::string before = value;
  text(field, value);
  if (value == before) return;
  std::error_code unreadable;
  const std::string local = resolved(value);
  if (fs::exists(local, unreadable) || !looks_like_hub_id(value)) value = local;
}

void RecipeReader::texts(const Field& field, std::vector<std::string>& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  value.clear();
  if (node->kind == YamlNode::Kind::null) return;
  if (node->kind == YamlNode::Kind::scalar) return value.push_back(node->text);
  if (node->kind != YamlNode::Kind::list) refuse_type(*node, field, "a list of texts");
  for (const auto& element : node->elements) {
    if (element.kind != YamlNode::Kind::scalar) refuse_type(element, field, "a text");
    value.push_back(element.text);
  }
}

void RecipeReader::flag(const Field& field, bool& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  const auto flag = node->kind == YamlNode::Kind::scalar ? parse_flag(node->text) : std::nullopt;
  if (!flag) refuse_type(*node, field, "true or false");
  value = *flag;
}

void RecipeReader::count(const Field& field, int64_t& value, const Range& range) {
  const YamlNode* node = stated(field);
  if (!node) return;
  const auto count = node->kind == YamlNode::Kind::scalar ? parse_count(node->text) : std::nullopt;
  if (!count) refuse_type(*node, field, "a whole number, such as 5000 or 870k");
  const auto expected = wanted(static_cast<double>(*count), range);
  if (!expected.empty()) refuse_type(*node, field, expected);
  value = *count;
}

void RecipeReader::seed(const Field& field, uint64_t& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  uint64_t seed = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, seed);
  if (node->kind != YamlNode::Kind::scalar || error != std::errc() || stop != end)
    refuse_type(*node, field, "a whole number of 0 or more");
  value = seed;
}

double RecipeReader::checked_number(const YamlNode& node, const Field& field) const {
  const auto number = node.kind == YamlNode::Kind::scalar ? parse_number(node.text) : std::nullopt;
  if (!number) refuse_type(node, field, "a number");
  return *number;
}

void RecipeReader::number(const Field& field, double& value, const Range& range) {
  const YamlNode* node = stated(field);
  if (!node) return;
  const double number = checked_number(*node, field);
  const auto expected = wanted(number, range);
  if (!expected.empty()) refuse_type(*node, field, expected);
  value = number;
}

void RecipeReader::number(const Field& field, std::optional<double>& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  value.reset();
  if (node->kind != YamlNode::Kind::null) value = checked_number(*node, field);
}

void RecipeReader::points(const Field& field, std::vector<std::pair<int64_t, double>>& value) {
  const YamlNode* node = stated(field);
  if (!node) return;
  value.clear();
  if (node->kind != YamlNode::Kind::list) refuse_type(*node, field, "a list of [step, factor]");
  for (const auto& point : node->elements) {
    if (point.kind != YamlNode::Kind::list || point.elements.size() != 2) refuse_type(point, field, "[step, factor]");
    const auto& step_node = point.elements[0];
    const auto step = step_node.kind == YamlNode::Kind::scalar ? parse_count(step_node.text) : std::nullopt;
    if (!step || *step < 0) refuse_type(step_node, field, "a step, 0 or more");
    const double factor = checked_number(point.elements[1], field);
    if (factor < 0 || factor > 1e6) refuse_type(point.elements[1], field, "a factor, 0 or more");
    value.emplace_back(*step, factor);
  }
}

void RecipeReader::choice(const Field& field, Choice& choice) {
  const YamlNode* node = stated(field);
  if (!node) return;
  const auto& words = choice.words;
  const auto found = std::find(words.begin(), words.end(), node->text);
  if (node->kind != YamlNode::Kind::scalar || found == words.end()) {
    const std::string hint = nearest_name(node->text, words.data(), words.size());
    const std::string wanted = fmt::format("one of {}", joined(words));
    refuse(*node, at(field),
           expected_got(wanted, node->described()) + (hint.empty() ? "" : fmt::format("; did you mean {}?", hint)));
  }
  choice.index = static_cast<size_t>(found - words.begin());
}

bool RecipeReader::begin_group(const Field& field) {
  const YamlNode* node = stated(field);
  if (!node || node->kind == YamlNode::Kind::null) return false;
  if (node->kind != YamlNode::Kind::map) refuse_type(*node, field, "a map of keys");
  levels_.push_back({node, at(field), {}});
  return true;
}

std::optional<FieldVisitor::Elements> RecipeReader::begin_list(const Field& field, size_t) {
  const YamlNode* node = stated(field);
  if (!node || node->kind == YamlNode::Kind::null) return std::nullopt;
  if (node->kind != YamlNode::Kind::list) refuse_type(*node, field, "a list");
  levels_.push_back({node, at(field), {}});
  return Elements{node->elements.size(), true};
}

void RecipeReader::begin_element(size_t index) {
  const Level& list = levels_.back();
  const YamlNode& node = list.node->elements[index];
  const std::string path = fmt::format("{}[{}]", list.path, index);
  if (node.kind != YamlNode::Kind::map) refuse(node, path, expected_got("a map of keys", node.described()));
  if (list.path == "phases") {
    const YamlNode* kind = node.find("kind");
    kinds_ = !kind                         ? kDiffusion
             : kind->text == "autoencoder" ? kAutoencoder
             : kind->text == "attributes"  ? kAttributes
                                           : kDiffusion;
  }
  levels_.push_back({&node, path, {}});
}

}  // namespace fresco::training
