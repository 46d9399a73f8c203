#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fresco/core/file_set.h"

namespace fresco::text {

/// What one prompt became.
struct Tokens {
  std::vector<int64_t> ids;  // exactly `length` of them (77): start, at most length-2 tokens, end, padding
  size_t length = 0;         // tokens before cutting, with start and end
  std::string cut;           // the words that did not fit, as decode() gives them; empty when all fit
};

/// CLIP's byte-pair tokenizer (Radford et al. 2021; Sennrich et al. 2016), with the normalisation
/// of transformers' fast tokenizer: NFC, white space runs to one space, lower case. Immutable, safe
/// to share between threads.
class Tokenizer {
 public:
  /// From a folder (or files that came in another file) with vocab.json + merges.txt, else tokenizer.json; tokenizer_config.json,
  /// special_tokens_map.json and added_tokens.json beside them are honoured as transformers does:
  /// do_lower_case changes nothing in a CLIP tokenizer.
  /// Errors: InputError (missing file), FormatError (broken file).
  static Tokenizer load(const FileSet& folder);
  /// The vocabulary that is compiled into fresco (OpenAI's CLIP, MIT).
  static Tokenizer built_in();

  /// `utf8` may hold anything: ill-formed parts count as U+FFFD. `length` is at least 2.
  /// Errors: InputError (a text over 64 MiB).
  Tokens encode(std::string_view utf8, size_t length = 77) const;
  /// Text for ids: special tokens left out, word ends as spaces.
  std::string decode(const std::vector<int64_t>& ids) const;
  /// The largest id, plus one: how many rows the token embedding needs.
  size_t vocabulary_size() const;
  /// model_max_length of the folder's tokenizer_config.json; 77 where none is stated.
  size_t max_length() const;

  struct Impl;

 private:
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// Tokenizer::built_in() as the files of a published tokenizer: vocab.json, merges.txt and settings.
FileSet built_in_tokenizer_files();

}  // namespace fresco::text
