#include "fresco/core/unicode.h"

#include <cstdint>

namespace fresco {
namespace {

constexpr char32_t kReplacement = 0xfffd;

bool is_surrogate(char32_t c) { return c >= 0xd800 && c <= 0xdfff; }

uint8_t byte_at(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

}  // namespace

char32_t next_utf8(std::string_view text, size_t& i) {
  const uint8_t first = byte_at(text, i++);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  if (first < 0xc2 || first > 0xf4) return kReplacement;
  char32_t c = first & (0x3f >> more);
  for (int k = 0; k < more; ++k, ++i) {
    if (i >= text.size() || (byte_at(text, i) & 0xc0) != 0x80) return kReplacement;
    c = c << 6 | (byte_at(text, i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  return c < kLeast[more] || c > 0x10ffff || is_surrogate(c) ? kReplacement : c;
}

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) out += next_utf8(text, i);
  return out;
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

std::optional<std::string> utf8_to_latin1(std::string_view text) {
  std::string out;
  for (const char32_t c : decode_utf8(text)) {
    if (c > 0xff) return std::nullopt;
    out += static_cast<char>(c);
  }
  return out;
}

std::string latin1_to_utf8(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, static_cast<uint8_t>(c));
  return out;
}

std::string utf8_to_utf16be(std::string_view text) {
  std::string out;
  const auto put = [&out](char32_t unit) {
    out += static_cast<char>(unit >> 8);
    out += static_cast<char>(unit & 0xff);
  };
  for (const char32_t c : decode_utf8(text)) {
    if (c < 0x10000) {
      put(c);
    } else {
      put(0xd800 | (c - 0x10000) >> 10);
      put(0xdc00 | ((c - 0x10000) & 0x3ff));
    }
  }
  return out;
}

std::string utf16_to_utf8(std::string_view bytes, bool big_endian) {
  std::string out;
  const size_t units = bytes.size() / 2;
  const auto unit = [&](size_t i) -> char32_t {
    const char32_t first = byte_at(bytes, 2 * i), second = byte_at(bytes, 2 * i + 1);
    return big_endian ? first << 8 | second : second << 8 | first;
  };
  for (size_t i = 0; i < units; ++i) {
    const char32_t high = unit(i);
    const char32_t low = i + 1 < units ? unit(i + 1) : 0;
    if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
      append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
      ++i;
    } else {
      append_utf8(out, is_surrogate(high) ? kReplacement : high);
    }
  }
  return out;
}

}  // namespace fresco
