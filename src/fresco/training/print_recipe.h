#pragma once
// A recipe as a text again, what two of them differ in, and all keys that one may hold.
#include <string>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/training/recipe.h"

namespace fresco::training {

/// Every key with its value, in the order of the reference; a phase's keys without a meaning in its kind are
/// left out. Reads back as the same recipe.
nlohmann::ordered_json to_json(const Recipe& recipe);
std::string to_yaml(const Recipe& recipe);

/// A line for each value that differs, as "phases[1].optimizer.learning_rate: 0.001 -> 0.002".
std::vector<std::string> differences(const Recipe& before, const Recipe& after);

struct KeyInfo {
  std::string path;      // "phases[].optimizer.learning_rate"
  std::string value;     // what may stand there: "above 0 and at most 10"
  std::string fallback;  // as YAML
  std::string help;
  std::string kinds;   // of the phases it has a meaning in; empty: all
  bool group = false;  // holds the keys that follow
};
const std::vector<KeyInfo>& recipe_keys();

/// The reference of docs/training.md: a table for each group of keys, in Markdown.
std::string recipe_reference();

}  // namespace fresco::training
