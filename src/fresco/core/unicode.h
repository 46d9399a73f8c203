#pragma once
// Texts cross between UTF-8 (fresco), Latin-1 (PNG tEXt) and UTF-16 (EXIF). Broken input becomes
// U+FFFD, never an error.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fresco {

/// The character that begins at text[i]; i moves behind it. U+FFFD for what is no UTF-8 (Unicode 15, table 3-7).
char32_t next_utf8(std::string_view text, size_t& i);
std::u32string decode_utf8(std::string_view text);
std::string encode_utf8(std::u32string_view text);

/// Nothing when a character is above U+00FF.
std::optional<std::string> utf8_to_latin1(std::string_view text);
std::string latin1_to_utf8(std::string_view bytes);

std::string utf8_to_utf16be(std::string_view text);
std::string utf16_to_utf8(std::string_view bytes, bool big_endian);

}  // namespace fresco
