#pragma once
// Letters of ASCII, whatever the locale.
#include <algorithm>
#include <string>

namespace fresco {

/// A to Z as a to z; all other bytes, those of UTF-8 too, as they are.
inline std::string lower_ascii(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace fresco
