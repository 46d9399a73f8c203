#include <zlib.h>

#include <cassert>

#include "fresco/core/error.h"
#include "fresco/text/byte_alphabet.h"
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

}  // namespace

TokenizerParts built_in_tokenizer_parts() {
  const std::string text = inflated();
  const auto merges = merges_of(text);
  TokenizerParts parts;
  int64_t id = 0;
  const auto add = [&](std::string word) { parts.vocabulary.add_word(std::move(word), id++, kWhere); };
  for (const uint8_t byte : bytes_by_id()) add(spelled(byte));
  for (const uint8_t byte : bytes_by_id()) add(spelled(byte) + std::string(kWordEnd));
  for (const auto& [left, right] : merges) add(std::string(left).append(right));
  add("<|startoftext|>");
  add("<|endoftext|>");
  for (const auto& [left, right] : merges) parts.vocabulary.add_merge(left, right, kWhere);
  for (const char* special : {"<|startoftext|>", "<|endoftext|>"})
    parts.added.push_back({.content = special, .id = *parts.vocabulary.id(special), .special = true});
  parts.start = parts.added[0].id;
  parts.end = parts.padding = parts.added[1].id;
  parts.unknown = static_cast<int32_t>(parts.end);
  return parts;
}

}  // namespace fresco::text
