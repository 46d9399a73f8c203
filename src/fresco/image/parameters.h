#pragma once
// The `parameters` text that Stable Diffusion programs put into pictures: prompt, negative prompt,
// one line of settings.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fresco::image {

struct Parameters {
  std::string prompt;  // may span lines
  std::string negative;
  std::vector<std::pair<std::string, std::string>> settings;  // in the order of the text

  /// The first setting of that name; nothing when there is none.
  std::optional<std::string> find(std::string_view key) const;
  bool operator==(const Parameters&) const = default;
};

/// A value with a comma, colon, line break or leading quote is written as a JSON string; the others
/// stand bare.
std::string format_parameters(const Parameters& parameters);

/// Never fails: text that holds no settings is all prompt. The last line counts as settings when it
/// holds three pairs or more. The text cannot tell everything apart: blanks around lines are lost,
/// and a line of the prompt that starts with "Negative prompt:" comes back as the negative prompt.
Parameters parse_parameters(std::string_view text);

}  // namespace fresco::image
