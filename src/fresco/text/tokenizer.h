#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fresco::text {

/// What one prompt became.
struct Tokens {
  std::vector<int64_t> ids;   // exactly `length` of them (77): start, at most length-2 tokens, end, padding
  size_t length = 0;          // tokens before cutting, with start and end
  std::string cut;            // the words that did not fit, as the tokenizer reads them back; empty when all fit
};

/// CLIP's byte-pair tokenizer (Radford et al. 2021; Sennrich et al. 2016), with the normalisation of transformers' fast tokenizer:
/// NFC, white space runs to one space, lower case. Immutable, safe to share between threads.
class Tokenizer {
 public:
  /// From a folder with vocab.json + merges.txt (tokenizer_config.json beside them is honoured) or tokenizer.json.
  /// Errors: InputError (missing file), FormatError (broken file).
  static Tokenizer load(const std::filesystem::path& folder);
  /// The vocabulary that is compiled into fresco (OpenAI's CLIP, MIT).
  static Tokenizer built_in();

  Tokens encode(std::string_view utf8, size_t length = 77) const;
  /// Text for ids: special tokens left out, word ends as spaces.
  std::string decode(const std::vector<int64_t>& ids) const;
  size_t vocabulary_size() const;

  struct Impl;

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fresco::text
