#pragma once
// CLI11, with its errors in this program's own words: one line that names the option, what was expected and what came.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fresco::cli {

using Arguments = std::vector<std::string>;

/// Arguments that are no options: what they are called in the help, and how many there may be.
struct Operands {
  std::string usage;  // "PROMPT..."
  size_t most = 0;
  Arguments found;
};

/// Parses; true: go on, false: help was asked for and has been printed. Whatever follows a lone `--` is an operand. Errors: InputError.
bool parse(CLI::App& app, const Arguments& arguments, Operands& operands);

/// Options whose text becomes a number by this program's own rules: the whole text, finite, within bounds. The last of several counts.
CLI::Option* add_integer(CLI::App& app, const std::string& name, std::optional<int>& value, int least, int most,
                         const std::string& help);
CLI::Option* add_integer(CLI::App& app, const std::string& name, std::optional<int64_t>& value, int64_t least,
                         int64_t most, const std::string& help);
CLI::Option* add_real(CLI::App& app, const std::string& name, std::optional<double>& value, const std::string& help);
CLI::Option* add_text(CLI::App& app, const std::string& name, std::optional<std::string>& value,
                      const std::string& kind, const std::string& help);

/// Errors: InputError naming `where`.
int64_t parse_integer(const std::string& where, const std::string& text, int64_t least, int64_t most);
double parse_real(const std::string& where, const std::string& text);
/// 0 .. 2^64-1; empty for a negative number, which asks for a random seed (as stable-diffusion.cpp has it).
std::optional<uint64_t> parse_seed(const std::string& where, const std::string& text);

}  // namespace fresco::cli
