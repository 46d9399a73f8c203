#pragma once
// What `fresco compare` was asked for.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "draw_options.h"

namespace fresco::cli {

struct CompareOptions {
  Choices common;                // what holds for A and B
  std::array<Choices, 2> sides;  // what was said of each
  std::vector<std::string> prompts;
  OptionalText prompts_file;
  std::vector<uint64_t> seeds;
  std::optional<int64_t> seed;
  std::optional<int> count, repeat;
  std::optional<double> price_per_hour;
  OptionalText out;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

/// Declares the options of `fresco compare` on `app`; parsing fills `options`.
void declare(CLI::App& app, CompareOptions& options);

}  // namespace fresco::cli
