#pragma once
// Text from outside -> the text that byte pairs are made of. Unicode's data and NFC come from ICU.
#include <string>
#include <string_view>

namespace fresco::text {

/// The same text with every ill-formed UTF-8 sequence replaced by U+FFFD (one for each maximal
/// subpart, Unicode 15, section 3.9).
std::string valid_utf8(std::string_view text);

/// What CLIP's fast tokenizer does to a text first, in this order; a tokenizer.json may leave steps
/// out.
struct Normalizer {
  bool compose = true;     // Unicode normalisation form C
  bool one_space = true;   // a run of white space becomes one space
  bool lower_case = true;  // each code point alone: a capital sigma at a word's end becomes the ordinary small one

  /// `text` is valid UTF-8. Errors: InputError when it is too long to normalise (over 64 MiB).
  std::string operator()(std::string_view text) const;
};

}  // namespace fresco::text
