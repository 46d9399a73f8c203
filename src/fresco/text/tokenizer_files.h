#pragma once
// The files of a published tokenizer folder -> what the tokenizer works from.
#include <vector>

#include "fresco/core/file_set.h"
#include "fresco/text/added_tokens.h"
#include "fresco/text/vocabulary.h"

namespace fresco::text {

/// All that a tokenizer is made of.
struct TokenizerParts {
  Vocabulary vocabulary;
  Normalizer normalizer;
  std::vector<AddedToken> added;  // the special ones too; their words stand in the vocabulary
  int64_t start = -1, end = -1, padding = -1;
  std::optional<int32_t> unknown;
  size_t max_length = 77;
};

/// vocab.json + merges.txt when they are there, else tokenizer.json; the settings beside them.
/// Errors: InputError (none of them is there), FormatError (broken).
TokenizerParts read_tokenizer_folder(const FileSet& folder);

/// tokenizer_config.json, special_tokens_map.json and added_tokens.json, each of which may be
/// absent: fills in everything but the words and merges. Tokens that `parts.added` holds already
/// keep their flags.
/// Errors: FormatError (broken; a special token that the vocabulary does not have).
void read_tokenizer_settings(const FileSet& folder, TokenizerParts& parts);

/// OpenAI's CLIP vocabulary, from the copy that is compiled in.
TokenizerParts built_in_tokenizer_parts();

}  // namespace fresco::text
