#include "fresco/training/print_recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/training/recipe_fields.h"

namespace fresco::training {
namespace {

using Ordered = nlohmann::ordered_json;

// Builds a document from the leaves inwards: an open group is moved into its parent when it ends.
class JsonWriter : public FieldVisitor {
 public:
  explicit JsonWriter(const Recipe& recipe) : recipe_(recipe) { open_.push_back({"", Ordered::object()}); }
  Ordered document() { return std::move(open_.front().second); }

  void text(const Field& field, std::string& value) override { put(field, value); }
  void path(const Field& field, std::string& value) override { put(field, value); }
  void model(const Field& field, std::string& value) override { put(field, value); }
  void texts(const Field& field, std::vector<std::string>& value) override { put(field, value); }
  void flag(const Field& field, bool& value) override { put(field, value); }
  void count(const Field& field, int64_t& value, const Range&) override { put(field, value); }
  void seed(const Field& field, uint64_t& value) override { put(field, value); }
  void number(const Field& field, double& value, const Range&) override { put(field, value); }
  void number(const Field& field, std::optional<double>& value) override {
    if (value) put(field, *value);
  }
  void points(const Field& field, std::vector<std::pair<int64_t, double>>& value) override {
    auto list = Ordered::array();
    for (const auto& [step, factor] : value) list.push_back(Ordered::array({step, factor}));
    put(field, list);
  }
  void choice(const Field& field, Choice& choice) override { put(field, choice.words[choice.index]); }

  bool begin_group(const Field& field) override {
    if (!(field.kinds & kinds_)) return false;
    open_.push_back({field.key, Ordered::object()});
    return true;
  }
  void end_group() override { close(); }
  std::optional<Elements> begin_list(const Field& field, size_t count) override {
    open_.push_back({field.key, Ordered::array()});
    return Elements{count, false};
  }
  void begin_element(size_t index) override {
    if (open_.back().first == "phases") kinds_ = kinds_of(recipe_.phases[index].kind);
    open_.push_back({"", Ordered::object()});
  }
  void end_element() override { close(); }
  void end_list() override {
    if (open_.back().first == "phases") kinds_ = kAllKinds;
    close();
  }

 private:
  template <typename Value>
  void put(const Field& field, const Value& value) {
    if (field.kinds & kinds_) open_.back().second[field.key] = value;
  }
  void close() {
    auto [key, value] = std::move(open_.back());
    open_.pop_back();
    Ordered& parent = open_.back().second;
    if (parent.is_array())
      parent.push_back(std::move(value));
    else
      parent[key] = std::move(value);
  }

  const Recipe& recipe_;
  std::vector<std::pair<std::string, Ordered>> open_;
  Kinds kinds_ = kAllKinds;
};

std::string one_line(const Ordered& value) {
  return value.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
}

bool holds_groups(const Ordered& value) { return value.is_array() && !value.empty() && value.front().is_object(); }

void print_yaml(const Ordered& object, size_t indent, std::string& out, bool in_list = false) {
  for (const auto& [key, value] : object.items()) {
    out += std::string(in_list ? 0 : indent, ' ') + key + ":";
    in_list = false;
    if (value.is_object()) {
      out += "\n";
      print_yaml(value, indent + 2, out);
    } else if (holds_groups(value)) {
      out += "\n";
      for (const auto& element : value) {
        out += std::string(indent + 2, ' ') + "- ";
        print_yaml(element, indent + 4, out, true);
      }
    } else {
      out += fmt::format(" {}\n", one_line(value));
    }
  }
}

class Comparison {
 public:
  std::vector<std::string> lines;

  void compare(const std::string& path, const Ordered& before, const Ordered& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return compare_groups(path, before, after);
    if (before.is_array() && after.is_array() && (holds_groups(before) || holds_groups(after)))
      return compare_lists(path, before, after);
    lines.push_back(fmt::format("{}: {} -> {}", path, shown(before), shown(after)));
  }

 private:
  static std::string shown(const Ordered& value) {
    return value.is_null() ? "nothing" : value.is_object() ? "a group of keys" : one_line(value);
  }
  void compare_groups(const std::string& path, const Ordered& before, const Ordered& after) {
    const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
    for (const auto& [key, value] : before.items())
      compare(below(key), value, after.contains(key) ? after[key] : Ordered());
    for (const auto& [key, value] : after.items())
      if (!before.contains(key)) compare(below(key), Ordered(), value);
  }
  void compare_lists(const std::string& path, const Ordered& before, const Ordered& after) {
    for (size_t i = 0; i < std::min(before.size(), after.size()); ++i)
      compare(fmt::format("{}[{}]", path, i), before[i], after[i]);
    if (before.size() != after.size())
      lines.push_back(fmt::format("{}: {} of them -> {}", path, before.size(), after.size()));
  }
};

}  // namespace

nlohmann::ordered_json to_json(const Recipe& recipe) {
  Recipe copy = recipe;  // visitors may write
  JsonWriter writer(recipe);
  visit_fields(copy, writer);
  return writer.document();
}

std::string to_yaml(const Recipe& recipe) {
  std::string out;
  print_yaml(to_json(recipe), 0, out);
  return out;
}

std::vector<std::string> differences(const Recipe& before, const Recipe& after) {
  Comparison comparison;
  comparison.compare("", to_json(before), to_json(after));
  return comparison.lines;
}

}  // namespace fresco::training
