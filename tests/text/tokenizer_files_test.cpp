#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/text/tokenizer.h"
#include "tests/text/helpers.h"

namespace fresco::text {
namespace {

using Ids = std::vector<int64_t>;

std::string replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string out(text);
  return out.replace(out.find(what), what.size(), by);
}

// A tokenizer.json around the small vocabulary.
std::string whole_file(std::string_view merges, std::string_view normalizer = R"({"type": "Sequence", "normalizers": [
    {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]})") {
  return std::string(R"({"version": "1.0", "added_tokens": [
      {"id": 9, "content": "<|startoftext|>", "special": true, "normalized": true},
      {"id": 10, "content": "<|endoftext|>", "special": true, "normalized": false}],
      "normalizer": )")
      .append(normalizer)
      .append(R"(, "model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": )")
      .append(kSmallVocabulary)
      .append(R"(, "merges": )")
      .append(merges)
      .append("}}");
}

TEST(TokenizerFiles, ReadsWordsAndMergesOrOneFileAlike) {
  TemporaryFolder two, pairs, strings;
  two.write("vocab.json", kSmallVocabulary).write("merges.txt", kSmallMerges);
  pairs.write("tokenizer.json", whole_file(R"([["a", "b"], ["a", "b</w>"], ["ab", "c</w>"]])"));
  strings.write("tokenizer.json", whole_file(R"(["a b", "a b</w>", "ab c</w>"])"));
  for (const auto* folder : {&two, &pairs, &strings}) {
    const Tokenizer tokenizer = Tokenizer::load(folder->path());
    EXPECT_EQ(tokenizer.encode("ABC  ab\tabab c!", 10).ids, (Ids{9, 8, 7, 6, 7, 5, 12, 10, 10, 10}));
    EXPECT_EQ(tokenizer.encode("a?<|endoftext|>b", 7).ids,
              (Ids{9, 3, 10, 10, 4, 10, 10}));  // no "?": unknown is the end token
    EXPECT_EQ(tokenizer.vocabulary_size(), 13u);
    EXPECT_EQ(tokenizer.max_length(), 77u);
    EXPECT_EQ(tokenizer.decode({9, 8, 6, 7, 12}), "abc abab !");
  }
}

TEST(TokenizerFiles, SkipsTheFirstLineOfMergesAndTakesWindowsLineEnds) {
  TemporaryFolder folder;
  folder.write("vocab.json", kSmallVocabulary).write("merges.txt", "anything\r\na b\r\na b</w>\r\n\r\n");
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("ab abc", 6).ids, (Ids{9, 7, 6, 5, 10, 10}));
}

TEST(TokenizerFiles, DoesWhatTheNormalizerOfOneFileSays) {
  TemporaryFolder folder;
  folder.write("tokenizer.json", whole_file(R"(["a b"])", R"({"type": "NFC"})"));
  EXPECT_EQ(Tokenizer::load(folder.path()).encode("abc Abc", 8).ids,
            (Ids{9, 6, 5, 10, 1, 5, 10, 10}));  // "A" is unknown
}

// Ids are those of transformers 4.57.1 for the same files around the full vocabulary, scaled down
// by hand.
TEST(TokenizerFiles, HonoursTheSettingsBesideThem) {
  struct Case {
    const char* config;
    const char* map;
    const char* text;
    Ids ids;
  };
  const char* object = R"({"bos_token": {"content": "a</w>", "normalized": true},
      "eos_token": {"__type": "AddedToken", "content": "b</w>"}})";
  const char* decoder = R"({"pad_token": "!", "added_tokens_decoder": {
      "11": {"content": "!", "special": true, "normalized": false},
      "13": {"content": "<cat>", "special": false, "normalized": true, "rstrip": true},
      "14": {"content": "<c>", "special": false, "normalized": false, "single_word": true, "lstrip": true}}})";
  const Case cases[] = {
      {"{}", "{}", "c", {9, 5, 10, 10, 10}},
      {R"({"pad_token": "!"})", "{}", "c", {9, 5, 10, 11, 11}},
      {R"({"pad_token": "!"})", "{}", "c!", {9, 5, 11, 10, 11}},
      {R"({"pad_token": null})", "{}", "c", {9, 5, 10, 10, 10}},
      {object, "{}", "c", {3, 5, 4, 10, 10}},
      {R"({"bos_token": "a</w>"})", R"({"bos_token": "b</w>"})", "c", {4, 5, 10, 10, 10}},
      {decoder, R"({"pad_token": "a</w>"})", "<CAT>  c", {9, 13, 5, 10, 11}},
      {decoder, "{}", "a  <c> <cat>", {9, 3, 14, 13, 10}},
      {decoder, "{}", "<C>", {9, 10, 5, 10, 10}},
      {decoder, "{}", "a<c>", {9, 3, 10, 5, 10}},
      {R"({"do_lower_case": false})", "{}", "C", {9, 5, 10, 10, 10}},
  };
  for (const auto& [config, map, text, ids] : cases) {
    TemporaryFolder folder;
    folder.write("vocab.json", kSmallVocabulary).write("merges.txt", kSmallMerges);
    folder.write("tokenizer_config.json", config).write("special_tokens_map.json", map);
    EXPECT_EQ(Tokenizer::load(folder.path()).encode(text, 5).ids, ids) << config << " " << map << " " << text;
  }
}

TEST(TokenizerFiles, TakesTheLengthThatTheSettingsState) {
  const std::pair<const char*, size_t> cases[] = {{"{}", 77},
                                                  {R"({"model_max_length": 40})", 40},
                                                  {R"({"model_max_length": 1000000000000000019884624838656})", 77}};
  for (const auto& [config, length] : cases) {
    TemporaryFolder folder;
    folder.write("vocab.json", kSmallVocabulary)
        .write("merges.txt", kSmallMerges)
        .write("tokenizer_config.json", config);
    EXPECT_EQ(Tokenizer::load(folder.path()).max_length(), length) << config;
  }
}

TEST(TokenizerFiles, FindsTheTokensThatUsersAdd) {
  TemporaryFolder folder;
  folder.write("vocab.json", kSmallVocabulary)
      .write("merges.txt", kSmallMerges)
      .write("added_tokens.json", R"({"<cat-toy>": 13})");
  const Tokenizer tokenizer = Tokenizer::load(folder.path());
  EXPECT_EQ(tokenizer.encode("a <Cat-Toy>b", 6).ids, (Ids{9, 3, 13, 4, 10, 10}));
  EXPECT_EQ(tokenizer.decode({3, 13, 4}), "a <cat-toy>b");
  EXPECT_EQ(tokenizer.vocabulary_size(), 14u);
}

struct Broken {
  const char* name;     // of the file that is broken
  std::string content;  // of it
  std::string says;     // part of the message
};

void expect_format_error(const std::filesystem::path& folder, const std::string& says) {
  try {
    Tokenizer::load(folder);
    ADD_FAILURE() << "no error; expected: " << says;
  } catch (const FormatError& error) {
    const std::string_view message = error.what();
    EXPECT_NE(message.find(says), message.npos) << message;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
  }
}

TEST(TokenizerFiles, SaysInOneLineWhatIsWrongWithWordsAndMerges) {
  const Broken cases[] = {
      {"vocab.json", R"({"a": 0, "b")", "vocab.json: not JSON at byte"},
      {"vocab.json", "{}", "vocab.json: no word in it"},
      {"vocab.json", "[1, 2]", "expected an object of words with their ids, got array"},
      {"vocab.json", R"({"a": "0"})", "expected an integer, got \"0\""},
      {"vocab.json", R"({"a": 1.5})", "expected an integer, got 1.5"},
      {"vocab.json", R"({"a": 0, "a": 1})", "key \"a\" occurs twice"},
      {"vocab.json", replaced(kSmallVocabulary, R"("b": 1)", R"("b": 0)"), "id 0 stands for both \"a\" and \"b\""},
      {"vocab.json", R"({"a": -1})", "id of \"a\": expected 0 to 1048575, got -1"},
      {"vocab.json", R"({"a": 99999999999})", "id of \"a\": expected 0 to 1048575, got 99999999999"},
      {"vocab.json", R"({"a": 18446744073709551615})", "expected 0 to 1048575"},
      {"vocab.json", replaced(kSmallVocabulary, "<|endoftext|>", "other"),
       "eos_token \"<|endoftext|>\" is not in the vocabulary"},
      {"vocab.json", std::string(100000, '['), "JSON nested deeper than"},
      {"merges.txt", "#version\na b\nab\n", "merges.txt: line 3: expected two symbols"},
      {"merges.txt", "#version\na b\n\nab c</w>\n", "merges.txt: line 3: expected two symbols"},
      {"merges.txt", "#version\na b c\n", "line 2: expected two symbols with white space between, got \"a b c\""},
      {"merges.txt", "#version\na x\n", "line 2: merge \"a x\": the vocabulary has no word \"x\""},
      {"merges.txt", "#version\nb a\n", "line 2: merge \"b a\": the vocabulary has no word \"ba\""},
      {"merges.txt", std::string("#version\n\xff\x1b \x00\n", 14), "merges.txt: line 2: merge"},
      {"tokenizer_config.json", "[]", "tokenizer_config.json: expected an object, got array"},
      {"tokenizer_config.json", R"({"eos_token": 3})", "\"eos_token\": expected a string or an object, got 3"},
      {"tokenizer_config.json", R"({"eos_token": {"content": 3}})", "\"content\": expected a string, got 3"},
      {"tokenizer_config.json", R"({"eos_token": "<s>"})", "eos_token \"<s>\" is not in the vocabulary"},
      {"tokenizer_config.json", R"({"model_max_length": 1})", "model_max_length: expected at least 2, got 1"},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "y"}}})",
       "expected ids as keys, got \"x\""},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"20": {"content": ""}}})", "an added token with no text"},
      {"special_tokens_map.json", R"({"pad_token": ["!"]})", "expected a string or an object"},
      {"added_tokens.json", R"({"<cat>": 3})", "id 3 stands for both \"a</w>\" and \"<cat>\""},
      {"added_tokens.json", R"({"<cat>": -3})", "expected 0 to 1048575, got -3"},
  };
  for (const auto& [name, content, says] : cases) {
    TemporaryFolder folder;
    folder.write("vocab.json", kSmallVocabulary).write("merges.txt", kSmallMerges).write(name, content);
    expect_format_error(folder.path(), says);
  }
}

TEST(TokenizerFiles, SaysInOneLineWhatIsWrongWithOneFile) {
  const std::string good = whole_file(R"(["a b"])");
  const Broken cases[] = {
      {"tokenizer.json", good.substr(0, good.size() / 2), "not JSON at byte"},
      {"tokenizer.json", "3", "expected an object \"model\""},
      {"tokenizer.json", R"({"model": 3})", "expected an object \"model\""},
      {"tokenizer.json", R"({"model": {"end_of_word_suffix": "</w>", "vocab": []}})", "expected an object model.vocab"},
      {"tokenizer.json", R"({"model": {"end_of_word_suffix": "</w>", "vocab": {"a": 0}}})",
       "expected a list model.merges"},
      {"tokenizer.json", replaced(good, "\"BPE\"", "\"WordPiece\""), "model.type: expected \"BPE\", got \"WordPiece\""},
      {"tokenizer.json", replaced(good, R"("end_of_word_suffix": "</w>")", R"("end_of_word_suffix": "@@")"),
       "expected \"</w>\", got \"@@\""},
      {"tokenizer.json", whole_file(R"({"a": "b"})"), "expected a list model.merges, got object"},
      {"tokenizer.json", whole_file(R"(["a b", "ab"])"), "model.merges[1]: expected two symbols"},
      {"tokenizer.json", whole_file(R"([["a", "b", "c"]])"), "model.merges[0]: expected \"a b\" or [\"a\", \"b\"]"},
      {"tokenizer.json", whole_file(R"([["a", 3]])"), "model.merges[0]: expected"},
      {"tokenizer.json", whole_file(R"([["b", "a"]])"), "the vocabulary has no word \"ba\""},
      {"tokenizer.json", whole_file(R"([])", R"({"type": "StripAccents"})"),
       "normalizer \"StripAccents\" is none of CLIP's"},
      {"tokenizer.json", whole_file(R"([])", R"({"type": "Replace", "pattern": {"String": "a"}, "content": "b"})"),
       "expected a Replace of \\s+"},
      {"tokenizer.json", whole_file(R"([])", "7"), "is none of CLIP's"},
      {"tokenizer.json", replaced(good, R"({"id": 9,)", R"(8, {"id": 9,)"),
       "expected objects in added_tokens, got number"},
  };
  for (const auto& [name, content, says] : cases) {
    TemporaryFolder folder;
    folder.write(name, content);
    expect_format_error(folder.path(), says);
  }
}

TEST(TokenizerFiles, SaysWhichFileIsMissing) {
  TemporaryFolder empty, words, merges;
  EXPECT_THROW(Tokenizer::load(empty.path()), InputError);
  EXPECT_THROW(Tokenizer::load(empty.path() / "nowhere"), InputError);
  expect_format_error(words.write("vocab.json", kSmallVocabulary).path(), "merges.txt is missing beside vocab.json");
  expect_format_error(merges.write("merges.txt", kSmallMerges).path(), "vocab.json is missing beside merges.txt");
}

}  // namespace
}  // namespace fresco::text
