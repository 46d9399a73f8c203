#include "fresco/text/tokenizer_files.h"

#include <fmt/format.h>

#include <array>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/text/byte_alphabet.h"

namespace fresco::text {
namespace {

// transformers reads no more of a CLIP merges.txt: 49,152 less 256 bytes and 2 special tokens.
constexpr size_t kMostMerges = 49152 - 256 - 2;
constexpr uint64_t kLargestFile = uint64_t{64} << 20;

const std::string kWords = "vocab.json", kMerges = "merges.txt", kWhole = "tokenizer.json";

// Words between white space, as many as `Count`; nothing when there are more or fewer.
template <size_t Count>
bool split_line(std::string_view line, std::array<std::string_view, Count>& words) {
  constexpr std::string_view kSpace = " \t\r\f\v";
  size_t found = 0;
  for (size_t at = line.find_first_not_of(kSpace); at != line.npos; at = line.find_first_not_of(kSpace, at)) {
    if (found == Count) return false;
    const size_t end = std::min(line.find_first_of(kSpace, at), line.size());
    words[found++] = line.substr(at, end - at);
    at = end;
  }
  return found == Count;
}

void add_merge_line(std::string_view line, std::string_view where, Vocabulary& vocabulary) {
  std::array<std::string_view, 2> halves;
  if (!split_line(line, halves))
    throw FormatError(where,
                      expected_got("two symbols with white space between", fmt::format("\"{}\"", printable(line, 60))));
  vocabulary.add_merge(halves[0], halves[1], where);
}

void read_vocab_json(const FileSet& folder, Vocabulary& vocabulary) {
  const Json words = folder.json(kWords);
  const std::string where = folder.place(kWords);
  if (!words.is_object())
    throw FormatError(where, expected_got("an object of words with their ids", words.type_name()));
  for (const auto& [word, id] : words.items()) {
    if (!id.is_number_integer()) throw_json_type(printable(word, 40).c_str(), id, where, "an integer");
    vocabulary.add_word(word, id.get<int64_t>(), where);
  }
  if (vocabulary.size() == 0) throw FormatError(where, "no word in it");
}

void read_merges_txt(const FileSet& folder, Vocabulary& vocabulary) {
  const std::string text = folder.read(kMerges, kLargestFile), where = folder.place(kMerges);
  std::string_view rest = text;
  rest = rest.substr(0, rest.find_last_not_of(" \t\r\n") + 1);
  // The first line names a version and is skipped whatever it says, as transformers does.
  for (size_t line = 1; !rest.empty() && line <= kMostMerges + 1; ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    if (line > 1) add_merge_line(rest.substr(0, end), fmt::format("{}: line {}", where, line), vocabulary);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string element_name(const Json& element) {
  return element.is_object() && element.contains("type") && element["type"].is_string()
             ? element["type"].get<std::string>()
             : std::string(element.type_name());
}

// Only CLIP's own steps are known; another one would quietly give other ids.
void add_normalizer_step(const Json& step, Normalizer& normalizer, std::string_view where) {
  const std::string name = element_name(step);
  if (name == "NFC")
    normalizer.compose = true;
  else if (name == "Lowercase")
    normalizer.lower_case = true;
  else if (name == "Replace") {
    const auto pattern = step.value(Json::json_pointer("/pattern/Regex"), Json());
    if (pattern != "\\s+" || step.value("content", Json()) != " ")
      throw FormatError(where, expected_got("a Replace of \\s+ by one space",
                                            printable(step.dump(-1, ' ', false, Json::error_handler_t::replace))));
    normalizer.one_space = true;
  } else {
    throw FormatError(where,
                      fmt::format("normalizer \"{}\" is none of CLIP's: NFC, Replace, Lowercase", printable(name, 40)));
  }
}

Normalizer read_normalizer(const Json& document, std::string_view where) {
  Normalizer normalizer{.compose = false, .one_space = false, .lower_case = false};
  const Json spec = document.value("normalizer", Json());
  if (spec.is_null()) return normalizer;
  if (element_name(spec) != "Sequence") {
    add_normalizer_step(spec, normalizer, where);
  } else {
    for (const auto& step : spec.value("normalizers", Json::array())) add_normalizer_step(step, normalizer, where);
  }
  return normalizer;
}

void read_json_merges(const Json& merges, std::string_view where, Vocabulary& vocabulary) {
  if (!merges.is_array()) throw FormatError(where, expected_got("a list model.merges", merges.type_name()));
  size_t index = 0;
  for (const auto& merge : merges) {
    const std::string place = fmt::format("{}: model.merges[{}]", where, index++);
    if (merge.is_string()) {
      add_merge_line(merge.get_ref<const std::string&>(), place, vocabulary);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      vocabulary.add_merge(merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>(), place);
    } else {
      throw FormatError(place, "expected \"a b\" or [\"a\", \"b\"]");
    }
  }
}

void check_model(const Json& model, std::string_view where) {
  if (const auto type = json_value<std::string>(model, "type", "BPE", where); type != "BPE")
    throw FormatError(
        where, fmt::format("model.type: {}", expected_got("\"BPE\"", fmt::format("\"{}\"", printable(type, 40)))));
  if (const auto suffix = json_value<std::string>(model, "end_of_word_suffix", "", where); suffix != kWordEnd)
    throw FormatError(where, fmt::format("model.end_of_word_suffix: {}",
                                         expected_got("\"</w>\"", fmt::format("\"{}\"", printable(suffix, 40)))));
  if (!model.contains("vocab") || !model["vocab"].is_object())
    throw FormatError(where, "expected an object model.vocab");
  if (!model.contains("merges")) throw FormatError(where, "expected a list model.merges");
}

AddedToken read_added_token(const Json& entry, std::string_view where) {
  if (!entry.is_object()) throw FormatError(where, expected_got("objects in added_tokens", entry.type_name()));
  AddedToken token;
  token.content = json_value<std::string>(entry, "content", "", where);
  token.id = json_value<int64_t>(entry, "id", -1, where);
  token.special = json_value<bool>(entry, "special", false, where);
  token.normalized = json_value<bool>(entry, "normalized", !token.special, where);
  token.single_word = json_value<bool>(entry, "single_word", false, where);
  token.left_strip = json_value<bool>(entry, "lstrip", false, where);
  token.right_strip = json_value<bool>(entry, "rstrip", false, where);
  return token;
}

void read_tokenizer_json(const FileSet& folder, TokenizerParts& parts) {
  const Json document = folder.json(kWhole);
  const std::string where = folder.place(kWhole);
  if (!document.is_object() || !document.contains("model") || !document["model"].is_object())
    throw FormatError(where, "expected an object \"model\"");
  const Json& model = document["model"];
  check_model(model, where);
  for (const auto& [word, id] : model["vocab"].items()) {
    if (!id.is_number_integer()) throw_json_type(printable(word, 40).c_str(), id, where, "an integer");
    parts.vocabulary.add_word(word, id.get<int64_t>(), where);
  }
  read_json_merges(model["merges"], where, parts.vocabulary);
  parts.normalizer = read_normalizer(document, where);
  for (const auto& entry : document.value("added_tokens", Json::array()))
    parts.added.push_back(read_added_token(entry, where));
}

}  // namespace

TokenizerParts read_tokenizer_folder(const FileSet& folder) {
  TokenizerParts parts;
  const bool has_words = folder.has(kWords), has_merges = folder.has(kMerges), has_whole = folder.has(kWhole);
  if (has_words && has_merges) {
    read_vocab_json(folder, parts.vocabulary);
    read_merges_txt(folder, parts.vocabulary);
  } else if (has_whole) {
    read_tokenizer_json(folder, parts);
  } else if (has_words || has_merges) {
    throw FormatError(folder.place().string(),
                      fmt::format("{} is missing beside {}", has_words ? "merges.txt" : "vocab.json",
                                  has_words ? "vocab.json" : "merges.txt"));
  } else {
    throw InputError(folder.place().string(),
                     "no tokenizer here: expected vocab.json and merges.txt, or tokenizer.json");
  }
  read_tokenizer_settings(folder, parts);
  return parts;
}

}  // namespace fresco::text
