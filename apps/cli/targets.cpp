#include "targets.h"

#include <fmt/format.h>

#include <cctype>
#include <set>

#include "fresco/core/files.h"
#include "fresco/image/read_write.h"

namespace fresco::cli {
namespace {

namespace fs = std::filesystem;

/// picture.png -> picture-07.png
fs::path numbered(const fs::path& name, size_t number, size_t count) {
  const size_t digits = std::to_string(count).size();
  return name.parent_path() /
         fmt::format("{}-{:0{}}{}", name.stem().string(), number, digits, name.extension().string());
}

Targets automatic_targets(const TargetRequest& request, const fs::path& folder) {
  Targets targets;
  std::set<fs::path> taken;
  for (size_t k = 0; k < request.prompts.size(); ++k) {
    const std::string stem = fmt::format("{}-{}", file_name_part(request.prompts[k]), request.seed + k);
    targets.pictures.push_back(free_name(folder / (stem + ".png"), taken));
  }
  if (request.grid && request.prompts.size() > 1) {
    const std::string stem = fmt::format("{}-{}-grid", file_name_part(request.prompts.front()), request.seed);
    targets.sheet = free_name(folder / (stem + ".png"), taken);
  }
  return targets;
}

Targets named_targets(const TargetRequest& request) {
  image::check_picture_name(request.out, "--out");
  const size_t count = request.prompts.size();
  if (count == 1) return {{request.out}, {}};
  Targets targets;
  for (size_t k = 0; k < count; ++k) targets.pictures.push_back(numbered(request.out, k + 1, count));
  if (request.grid) targets.sheet = request.out;
  return targets;
}

}  // namespace

fs::path free_name(const fs::path& wanted, std::set<fs::path>& taken) {
  std::error_code ignored;
  fs::path name = wanted;
  for (int number = 2; taken.contains(name) || fs::exists(fs::symlink_status(name, ignored)); ++number) {
    name = wanted.parent_path() / fmt::format("{}-{}{}", wanted.stem().string(), number, wanted.extension().string());
  }
  taken.insert(name);
  return name;
}

std::string file_name_part(const std::string& prompt, size_t limit) {
  std::string name;
  for (const char c : prompt) {
    if (name.size() >= limit) break;
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "picture" : name;
}

Targets plan_targets(const TargetRequest& request) {
  std::error_code ignored;
  const fs::path out = request.out;
  const bool folder = request.out.empty() || request.out.back() == '/' || fs::is_directory(out, ignored);
  Targets targets = folder ? automatic_targets(request, out) : named_targets(request);
  for (const fs::path& picture : targets.pictures) check_writable(picture, request.overwrite);
  if (targets.sheet) check_writable(*targets.sheet, request.overwrite);
  return targets;
}

}  // namespace fresco::cli
