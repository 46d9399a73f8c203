#include "fresco/text/added_tokens.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace fresco::text {
namespace {

// What regular expressions call a word character (Unicode Technical Standard 18, annex C).
bool is_word_character(UChar32 c) {
  constexpr uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return u_isUAlphabetic(c) || (U_GET_GC_MASK(c) & kMarksDigitsConnectors) ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

UChar32 first_of(std::string_view text, size_t& after) {
  const char* bytes = text.data();
  UChar32 c;
  after = 0;
  U8_NEXT_OR_FFFD(bytes, after, text.size(), c);
  return c;
}

UChar32 last_of(std::string_view text, size_t& begin) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  auto at = static_cast<int32_t>(text.size());
  UChar32 c;
  U8_PREV_OR_FFFD(bytes, 0, at, c);
  begin = static_cast<size_t>(at);
  return c;
}

bool stands_alone(std::string_view before, std::string_view after) {
  size_t ignored;
  return (before.empty() || !is_word_character(last_of(before, ignored))) &&
         (after.empty() || !is_word_character(first_of(after, ignored)));
}

size_t trailing_space(std::string_view text) {
  size_t end = text.size(), begin = 0;
  while (end > 0 && u_isUWhiteSpace(last_of(text.substr(0, end), begin))) end = begin;
  return text.size() - end;
}

size_t leading_space(std::string_view text) {
  size_t end = 0, length = 0;
  while (end < text.size() && u_isUWhiteSpace(first_of(text.substr(end), length))) end += length;
  return end;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(const std::vector<AddedToken>& tokens, bool normalized,
                                   const Normalizer& normalizer) {
  for (const auto& token : tokens)
    if (token.normalized == normalized)
      tokens_.emplace_back(normalized ? normalizer(token.content) : token.content, token);
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& pattern = tokens_[i].first;
    if (!pattern.empty()) by_length_[pattern.size()].emplace(pattern, i);
  }
}

const AddedToken* AddedTokenFinder::longest_at(std::string_view rest, size_t& length) const {
  for (const auto& [size, patterns] : by_length_) {
    if (size > rest.size()) continue;
    const auto found = patterns.find(rest.substr(0, size));
    if (found == patterns.end()) continue;
    length = size;
    return &tokens_[found->second].second;
  }
  return nullptr;
}

std::vector<Piece> AddedTokenFinder::split(std::string_view text) const {
  std::vector<Piece> pieces;
  size_t done = 0;
  const auto add_text = [&](size_t end) {
    if (end > done) pieces.push_back({text.substr(done, end - done)});
  };
  for (size_t at = 0; at < text.size() && !by_length_.empty();) {
    size_t length = 0;
    const AddedToken* token = longest_at(text.substr(at), length);
    if (!token) {
      ++at;
      continue;
    }
    const size_t end = at + length;
    if (!token->single_word || stands_alone(text.substr(0, at), text.substr(end))) {
      const size_t begin = token->left_strip ? std::max(done, at - trailing_space(text.substr(0, at))) : at;
      add_text(begin);
      done = token->right_strip ? end + leading_space(text.substr(end)) : end;
      pieces.push_back({text.substr(begin, done - begin), token->id});
    }
    at = std::max(end, done);
  }
  add_text(text.size());
  return pieces;
}

}  // namespace fresco::text
