#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fresco::cli {

/// Well-formed as RFC 3629 has it: no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

/// One prompt a line; blank lines and lines that start with # are left out.
/// Errors: InputError (no such file, no prompt in it), FormatError naming the line that is not UTF-8.
std::vector<std::string> read_prompts(const std::filesystem::path& file, std::string_view option = "--prompts");

}  // namespace fresco::cli
