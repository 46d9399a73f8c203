#include "fresco/text/tokenizer.h"

#include <algorithm>
#include <cassert>

#include "fresco/text/added_tokens.h"
#include "fresco/text/byte_alphabet.h"
#include "fresco/text/byte_pairs.h"
#include "fresco/text/normalize.h"
#include "fresco/text/split_words.h"
#include "fresco/text/tokenizer_files.h"

namespace fresco::text {

struct Tokenizer::Impl {
  explicit Impl(TokenizerParts read)
      : parts(std::move(read)),
        byte_pairs(parts.vocabulary, parts.unknown),
        raw_tokens(parts.added, false, parts.normalizer),
        normalized_tokens(parts.added, true, parts.normalizer) {
    for (const auto& token : parts.added)
      if (token.special) special.push_back(token.id);
  }

  void append_ids(std::string_view text, std::vector<int64_t>& ids) const;
  void append_text_ids(std::string_view text, std::vector<int64_t>& ids) const;
  std::string decode(const int64_t* begin, const int64_t* end) const;

  TokenizerParts parts;
  BytePairs byte_pairs;
  AddedTokenFinder raw_tokens, normalized_tokens;
  std::vector<int64_t> special;
};

// Text between tokens that are looked for before normalisation.
void Tokenizer::Impl::append_text_ids(std::string_view text, std::vector<int64_t>& ids) const {
  const std::string normalized = parts.normalizer(text);
  for (const Piece& piece : normalized_tokens.split(normalized)) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    for (const auto word : split_words(piece.text)) byte_pairs.encode(word, parts.vocabulary, ids);
  }
}

void Tokenizer::Impl::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  for (const Piece& piece : raw_tokens.split(text)) {
    if (piece.id >= 0)
      ids.push_back(piece.id);
    else
      append_text_ids(piece.text, ids);
  }
}

std::string Tokenizer::Impl::decode(const int64_t* begin, const int64_t* end) const {
  std::string bytes;
  for (; begin != end; ++begin) {
    const std::string* word = parts.vocabulary.word(*begin);
    if (!word || std::find(special.begin(), special.end(), *begin) != special.end()) continue;
    const bool ends_word = word->ends_with(kWordEnd);
    bytes += bytes_of(std::string_view(*word).substr(0, word->size() - (ends_word ? kWordEnd.size() : 0)));
    if (ends_word) bytes += ' ';
  }
  std::string text = valid_utf8(bytes);
  text.erase(text.find_last_not_of(' ') + 1);
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

Tokenizer Tokenizer::load(const FileSet& folder) {
  return Tokenizer(std::make_shared<const Impl>(read_tokenizer_folder(folder)));
}

Tokenizer Tokenizer::built_in() {
  static const auto instance = std::make_shared<const Impl>(built_in_tokenizer_parts());
  return Tokenizer(instance);
}

Tokens Tokenizer::encode(std::string_view utf8, size_t length) const {
  assert(length >= 2);
  std::vector<int64_t> words;
  impl_->append_ids(valid_utf8(utf8), words);
  const size_t kept = std::min(words.size(), length - 2);
  Tokens tokens;
  tokens.length = words.size() + 2;
  tokens.cut = impl_->decode(words.data() + kept, words.data() + words.size());
  tokens.ids.push_back(impl_->parts.start);
  tokens.ids.insert(tokens.ids.end(), words.begin(), words.begin() + static_cast<std::ptrdiff_t>(kept));
  tokens.ids.push_back(impl_->parts.end);
  tokens.ids.resize(length, impl_->parts.padding);
  return tokens;
}

std::string Tokenizer::decode(const std::vector<int64_t>& ids) const {
  return impl_->decode(ids.data(), ids.data() + ids.size());
}

size_t Tokenizer::vocabulary_size() const { return impl_->parts.vocabulary.size(); }

size_t Tokenizer::max_length() const { return impl_->parts.max_length; }

}  // namespace fresco::text
