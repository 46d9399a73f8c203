#pragma once
// What a recipe gets wrong that reading it key by key does not show, found before anything is trained or
// written. Free of libtorch.
#include <cstdint>
#include <string>
#include <vector>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// A line each, with the key in front: "phases[1].batch: ...".
struct RecipeFindings {
  std::vector<std::string> problems;  // it cannot be trained so
  std::vector<std::string> warnings;  // it can, but hardly anybody means that
};

/// Reads the model's configs and looks for folders and files; downloads nothing. `processes` share each
/// batch.
RecipeFindings check_recipe(const Recipe& recipe, int64_t processes = 1);

/// Errors: InputError naming the recipe and the first problem, and how many more there are.
void require_sound(const Recipe& recipe, const RecipeFindings& findings);

}  // namespace fresco::training
