#include "fresco/text/split_words.h"

#include <unicode/utf8.h>

#include <array>

#include "fresco/text/characters.h"

namespace fresco::text {
namespace {

UChar32 next(std::string_view text, size_t& at) {
  const char* bytes = text.data();
  UChar32 c;
  U8_NEXT_OR_FFFD(bytes, at, text.size(), c);
  return c;
}

// Bytes of the contraction that `text` begins with; 0 when there is none.
size_t contraction(std::string_view text) {
  constexpr std::array<std::string_view, 7> kContractions = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
  for (const auto known : kContractions)
    if (text.starts_with(known)) return known.size();
  return 0;
}

size_t end_of_run(std::string_view text, size_t at, Kind kind) {
  while (at < text.size()) {
    size_t after = at;
    if (kind_of(next(text, after)) != kind) return at;
    at = after;
  }
  return at;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const Kind kind = kind_of(next(text, at));
    if (kind == Kind::space) continue;
    if (const size_t length = contraction(text.substr(begin)); length > 0) {
      at = begin + length;
    } else if (kind != Kind::number) {
      at = end_of_run(text, at, kind);
    }
    words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

}  // namespace fresco::text
