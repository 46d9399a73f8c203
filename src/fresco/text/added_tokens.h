#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fresco/text/normalize.h"

namespace fresco::text {

/// A token that is found in the text as it stands, before words are split: the special ones, and
/// those that users add.
struct AddedToken {
  std::string content;
  int64_t id = -1;
  bool special = false;      // left out when ids are read back
  bool normalized = true;    // looked for in the normalised text, itself normalised; else in the text as it came
  bool single_word = false;  // no letter, digit or mark beside it
  bool left_strip = false;   // swallows the white space before it
  bool right_strip = false;  // and after it
};

/// A stretch of text, or the added token that stands there (id >= 0).
struct Piece {
  std::string_view text;
  int64_t id = -1;
};

/// Finds tokens in texts: the leftmost match, the longest of those.
class AddedTokenFinder {
 public:
  /// Keeps those of `tokens` whose flag `normalized` is `normalized`.
  AddedTokenFinder(const std::vector<AddedToken>& tokens, bool normalized, const Normalizer& normalizer);

  std::vector<Piece> split(std::string_view text) const;

 private:
  const AddedToken* longest_at(std::string_view rest, size_t& length) const;

  using Patterns = std::unordered_map<std::string_view, size_t>;
  std::vector<std::pair<std::string, AddedToken>> tokens_;  // what to look for, in order
  std::map<size_t, Patterns, std::greater<>> by_length_;    // indexes into tokens_
};

}  // namespace fresco::text
