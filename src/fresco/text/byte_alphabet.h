#pragma once
// Vocabulary files spell each byte as one printable character (Radford et al. 2019, GPT-2): bytes
// 33-126, 161-172 and 174-255 as the code points of their numbers, the other 68 as 256, 257, ...
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fresco::text {

/// What a word's last symbol ends with in vocabulary files.
inline constexpr std::string_view kWordEnd = "</w>";

/// The 256 bytes in the order of CLIP's ids: the printable ones first.
const std::array<uint8_t, 256>& bytes_by_id();

/// The character for a byte, in UTF-8.
const std::string& spelled(uint8_t byte);

/// The bytes that `word` spells; a word with other characters in it (an added token) stands for itself.
std::string bytes_of(std::string_view word);

}  // namespace fresco::text
