// All keys, from a visit to a recipe that holds nothing but defaults.
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/names.h"
#include "fresco/training/print_recipe.h"
#include "fresco/training/recipe_fields.h"

namespace fresco::training {
namespace {

class KeyLister : public FieldVisitor {
 public:
  std::vector<KeyInfo> keys;

  void text(const Field& field, std::string&) override { add(field, "a text", ""); }
  void path(const Field& field, std::string&) override { add(field, "a path", ""); }
  void model(const Field& field, std::string&) override { add(field, "a path or a hub id", ""); }
  void texts(const Field& field, std::vector<std::string>&) override { add(field, "a list of texts", "[]"); }
  void flag(const Field& field, bool& value) override { add(field, "true, false", value ? "true" : "false"); }
  void count(const Field& field, int64_t& value, const Range& range) override {
    add(field, fmt::format("whole, {}", words_of(range)), fmt::format("{}", value));
  }
  void seed(const Field& field, uint64_t& value) override { add(field, "whole, 0 or more", fmt::format("{}", value)); }
  void number(const Field& field, double& value, const Range& range) override {
    add(field, words_of(range), fmt::format("{}", value));
  }
  void number(const Field& field, std::optional<double>&) override { add(field, "a number", ""); }
  void points(const Field& field, std::vector<std::pair<int64_t, double>>&) override {
    add(field, "a list of pairs", "[]");
  }
  void choice(const Field& field, Choice& choice) override {
    add(field, joined(choice.words), choice.words[choice.index]);
  }

  bool begin_group(const Field& field) override {
    add(field, "keys", "", true);
    path_.push_back(keys.back().path);
    return true;
  }
  void end_group() override { path_.pop_back(); }
  std::optional<Elements> begin_list(const Field& field, size_t) override {
    add(field, "a list", "", true);
    keys.back().path += "[]";
    path_.push_back(keys.back().path);
    return Elements{1, false};
  }
  void begin_element(size_t) override {}
  void end_element() override {}
  void end_list() override { path_.pop_back(); }

 private:
  void add(const Field& field, std::string value, std::string fallback, bool group = false) {
    const std::string kinds = field.kinds == kAllKinds ? "" : words_of(field.kinds);
    const std::string path = path_.empty() ? field.key : path_.back() + "." + field.key;
    keys.push_back({path, std::move(value), std::move(fallback), field.help, kinds, group});
  }
  std::vector<std::string> path_;
};

std::string parent_of(const std::string& path) {
  const auto dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string row(const KeyInfo& key) {
  const std::string parent = parent_of(key.path);
  const std::string name = parent.empty() ? key.path : key.path.substr(parent.size() + 1);
  const std::string kinds = key.kinds.empty() ? "" : fmt::format(" ({} phases)", key.kinds);
  const std::string fallback = key.fallback.empty() ? "" : fmt::format("`{}`", key.fallback);
  return fmt::format("| `{}` | {} | {} | {}{} |\n", name, key.value, fallback, key.help, kinds);
}

}  // namespace

const std::vector<KeyInfo>& recipe_keys() {
  static const auto kKeys = [] {
    Recipe recipe;
    KeyLister lister;
    visit_fields(recipe, lister);
    return lister.keys;
  }();
  return kKeys;
}

std::string recipe_reference() {
  std::string out;
  const auto table = [&](const std::string& group) {
    out += fmt::format("#### {}\n\n| key | value | default | what |\n|---|---|---|---|\n",
                       group.empty() ? "The recipe" : fmt::format("`{}`", group));
    for (const auto& key : recipe_keys())
      if (parent_of(key.path) == group) out += row(key);
  };
  table("");
  for (const auto& key : recipe_keys()) {
    if (!key.group) continue;
    out += "\n";
    table(key.path);
  }
  return out;
}

}  // namespace fresco::training
