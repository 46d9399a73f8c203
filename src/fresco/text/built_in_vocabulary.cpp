#include <zlib.h>

#include <cassert>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/text/byte_alphabet.h"
#include "fresco/text/tokenizer.h"
#include "fresco/text/tokenizer_files.h"

extern "C" {
extern const unsigned char fresco_vocabulary_begin[];
extern const unsigned char fresco_vocabulary_end[];
}

namespace fresco::text {
namespace {

constexpr std::string_view kWhere = "built-in vocabulary";
// Ids (Radford et al. 2021): 256 bytes, the same at a word's end, the merges, the two special
// tokens: 49,408 in all.
constexpr size_t kMerges = 48894;

std::string inflated() {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (inflateInit2(&stream, kGzip) != Z_OK) throw ResourceError(kWhere, "no memory to unpack it");
  stream.next_in = const_cast<unsigned char*>(fresco_vocabulary_begin);
  stream.avail_in = static_cast<unsigned>(fresco_vocabulary_end - fresco_vocabulary_begin);
  std::string text;
  int status = Z_OK;
  while (status == Z_OK) {
    char block[1 << 16];
    stream.next_out = reinterpret_cast<unsigned char*>(block);
    stream.avail_out = sizeof block;
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(block, sizeof block - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw FormatError(kWhere, "damaged: this program's file is not what was built");
  return text;
}

std::string_view next_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

std::vector<std::pair<std::string_view, std::string_view>> merges_of(std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> merges;
  next_line(text);  // a version
  for (size_t i = 0; i < kMerges; ++i) {
    const auto line = next_line(text);
    const size_t space = line.find(' ');
    assert(space != line.npos);
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return merges;
}

constexpr const char* kStart = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

// Words in the order of their ids.
template <typename Add>
void each_word(const std::vector<std::pair<std::string_view, std::string_view>>& merges, const Add& add) {
  for (const uint8_t byte : bytes_by_id()) add(spelled(byte));
  for (const uint8_t byte : bytes_by_id()) add(spelled(byte) + std::string(kWordEnd));
  for (const auto& [left, right] : merges) add(std::string(left).append(right));
  add(kStart);
  add(kEnd);
}

}  // namespace

FileSet built_in_tokenizer_files() {
  const std::string text = inflated();
  const auto merges = merges_of(text);
  Json words = Json::object();
  int64_t id = 0;
  each_word(merges, [&](const std::string& word) { words[word] = id++; });
  std::string lines = "#version: 0.2\n";
  for (const auto& [left, right] : merges) lines.append(left).append(" ").append(right).append("\n");
  const Json special{{"bos_token", kStart}, {"eos_token", kEnd}, {"pad_token", kEnd}, {"unk_token", kEnd}};
  Json config = special;
  config.update({{"add_prefix_space", false},
                 {"do_lower_case", true},
                 {"errors", "replace"},
                 {"model_max_length", 77},
                 {"tokenizer_class", "CLIPTokenizer"}});
  return {std::filesystem::path(kWhere),
          {{"vocab.json", words.dump()},
           {"merges.txt", lines},
           {"tokenizer_config.json", config.dump(2)},
           {"special_tokens_map.json", special.dump(2)}}};
}

TokenizerParts built_in_tokenizer_parts() {
  const std::string text = inflated();
  const auto merges = merges_of(text);
  TokenizerParts parts;
  int64_t id = 0;
  each_word(merges, [&](std::string word) { parts.vocabulary.add_word(std::move(word), id++, kWhere); });
  for (const auto& [left, right] : merges) parts.vocabulary.add_merge(left, right, kWhere);
  for (const char* special : {kStart, kEnd})
    parts.added.push_back({.content = special, .id = *parts.vocabulary.id(special), .special = true});
  parts.start = parts.added[0].id;
  parts.end = parts.padding = parts.added[1].id;
  parts.unknown = static_cast<int32_t>(parts.end);
  return parts;
}

}  // namespace fresco::text
