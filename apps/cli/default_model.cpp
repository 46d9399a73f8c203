#include "default_model.h"

#include <cstdlib>
#include <filesystem>

#include "fresco/core/error.h"

namespace fresco::cli {
namespace fs = std::filesystem;

std::string default_model() {
  const char* chosen = std::getenv("FRESCO_MODEL");
  if (chosen != nullptr && *chosen != 0) return chosen;
  std::error_code failed;
  const auto found = [&](const fs::path& place) { return fs::exists(place / "model_index.json", failed); };
  // bin/fresco or lib/fresco/fresco of an installed fresco, wherever that is.
  fs::path above = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (int levels = 0; levels < 4 && above.has_relative_path(); ++levels) {
    above = above.parent_path();
    if (found(above / "share/fresco/models/starter-128")) return (above / "share/fresco/models/starter-128").string();
  }
  const fs::path source = fs::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  if (found(source)) return source.string();
  throw InputError("--model",
                   "expected a model, got none, and the one that comes with fresco is not beside this program");
}

}  // namespace fresco::cli
