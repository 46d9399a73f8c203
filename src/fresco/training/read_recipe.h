#pragma once
// Recipes as YAML. docs/training.md is their reference.
#include <filesystem>
#include <string>
#include <string_view>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// A file of at most 1 MiB. Folders in it are relative to its own and come out absolute. Errors: InputError
/// "file:line: key: ...": what is no YAML, keys that nobody knows (the nearest one is suggested), values of a
/// wrong type or out of range, keys without a meaning in the phase's kind. What does not fit together is
/// found by check_recipe().
Recipe read_recipe(const std::filesystem::path& file);

/// The same of a text; JSON is YAML too. Folders are relative to that of `place`.
Recipe parse_recipe(const std::string& text, const std::filesystem::path& place);

}  // namespace fresco::training
