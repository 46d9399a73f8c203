#pragma once
// Where the pictures go, decided and checked before anything is loaded.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fresco::cli {

struct TargetRequest {
  std::string out;                   // --out: empty, a file name or a folder
  std::vector<std::string> prompts;  // one a picture
  uint64_t seed = 0;                 // picture k has seed + k
  bool grid = false;
  bool overwrite = false;
};

struct Targets {
  std::vector<std::filesystem::path> pictures;
  std::optional<std::filesystem::path> sheet;  // with --grid and several pictures; it has the name that --out gives
  std::optional<std::filesystem::path> trace;  // with --profile
};

/// One picture takes the name given, several are numbered: picture-1.png, picture-2.png. Without a name, or with a folder: from
/// prompt and seed, with a number where that name is taken.
/// Errors: InputError (unknown extension, existing file, folder missing or unwritable).
Targets plan_targets(const TargetRequest& request);

/// The name itself, or with -2, -3, ... where it is taken on the disk or by another result of this run; taken from now on.
std::filesystem::path free_name(const std::filesystem::path& wanted, std::set<std::filesystem::path>& taken);

/// Letters and digits of a prompt, joined by hyphens, at most `limit` bytes; "picture" when none is left.
std::string file_name_part(const std::string& prompt, size_t limit = 60);

}  // namespace fresco::cli
