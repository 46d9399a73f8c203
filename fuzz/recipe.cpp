// Any bytes as a recipe: either one that can be checked, and that reads back as it was printed, or an InputError.
#include <optional>

#include "fresco/core/error.h"
#include "fresco/training/check_recipe.h"
#include "fresco/training/print_recipe.h"
#include "fresco/training/read_recipe.h"

namespace {

const char* const kPlace = "/no/such/folder/input.yaml";

std::optional<fresco::training::Recipe> read(const std::string& text) {
  try {
    return fresco::training::parse_recipe(text, kPlace);
  } catch (const fresco::InputError&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto recipe = read({reinterpret_cast<const char*>(data), size});
  if (!recipe) return 0;
  fresco::training::check_recipe(*recipe, 2);
  const auto again = fresco::training::parse_recipe(fresco::training::to_yaml(*recipe), kPlace);
  if (!fresco::training::differences(*recipe, again).empty()) __builtin_trap();
  return 0;
}
