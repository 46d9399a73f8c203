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
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  for (const fs::path& place : {program.parent_path().parent_path() / "share/fresco/models/starter-128",
                                fs::path(FRESCO_SOURCE_DIR) / "models/starter-128"}) {
    if (fs::exists(place / "model_index.json", failed)) return place.string();
  }
  throw InputError("--model",
                   "expected a model, got none, and the one that comes with fresco is not beside this program");
}

}  // namespace fresco::cli
