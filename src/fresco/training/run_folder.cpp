#include "fresco/training/run_folder.h"

#include <fmt/format.h>

#include <cctype>

namespace fresco::training {

std::string sample_path(const Place& place, std::string_view phase_name) {
  std::string name;
  for (const char letter : phase_name.substr(0, 40)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' || letter == '_';
    if (plain) {
      name += letter;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return fmt::format("samples/{}-{}{}{:07}.png", place.phase + 1, name, name.empty() ? "" : "-", place.step);
}

}  // namespace fresco::training
