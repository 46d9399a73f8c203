#include "fresco/text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "fresco/core/json.h"

namespace fresco::text {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kStart = 49406, kEnd = 49407;

// Ids come back whole here: without padding.
std::vector<int64_t> ids_of(const Tokenizer& tokenizer, std::string_view text) {
  const Tokens tokens = tokenizer.encode(text);
  return {tokens.ids.begin(), tokens.ids.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(tokens.length, 77))};
}

void expect_all(const Tokenizer& tokenizer, const fs::path& file) {
  for (const auto& example : read_json(file)) {
    const auto text = example["text"].get<std::string>();
    auto expected = example["ids"].get<std::vector<int64_t>>();
    expected.resize(77, kEnd);
    const Tokens tokens = tokenizer.encode(text);
    EXPECT_EQ(tokens.ids, expected) << text;
    EXPECT_EQ(tokens.length, example["length"].get<size_t>()) << text;
    EXPECT_EQ(tokens.cut.empty(), tokens.length <= 77) << text;
  }
}

TEST(Tokenizer, GivesTheIdsOfTransformersFastTokenizer) {
  expect_all(Tokenizer::built_in(), fs::path(FRESCO_SOURCE_DIR) / "tests/text/tokens.json");
}

TEST(Tokenizer, GivesTheReferenceIdsWithTheVocabularyOfAFolder) {
  const fs::path goldens = fs::path(FRESCO_SOURCE_DIR) / "../shared/goldens";
  if (!fs::exists(goldens / "tokens.json")) GTEST_SKIP() << "no reference data at " << goldens;
  for (const char* model : {"tiny-sd15", "tiny-deci10", "tiny-deci20"}) {
    const Tokenizer tokenizer = Tokenizer::load(goldens / "models" / model / "tokenizer");
    EXPECT_EQ(tokenizer.vocabulary_size(), 49408u);
    EXPECT_EQ(tokenizer.max_length(), 77u);
    expect_all(tokenizer, goldens / "tokens.json");
  }
}

TEST(Tokenizer, HasTheWholeVocabularyBuiltIn) {
  EXPECT_EQ(Tokenizer::built_in().vocabulary_size(), 49408u);
  EXPECT_EQ(Tokenizer::built_in().max_length(), 77u);
}

TEST(Tokenizer, KeepsWhatFitsAndQuotesWhatWasCut) {
  struct Case {
    std::string text;
    size_t length;
    std::string cut;
  };
  const Case cases[] = {
      {"a red circle", 5, ""},
      {"a red circle", 4, "circle"},
      {"A  RED\tcircle, on BLUE", 4, "circle , on blue"},
      {"a red circle", 2, "a red circle"},
      {"a <|endoftext|> b c", 4, "b c"},
      {"a 日本", 3, "日本"},
  };
  const Tokenizer tokenizer = Tokenizer::built_in();
  for (const auto& [text, length, cut] : cases) {
    const Tokens tokens = tokenizer.encode(text, length);
    EXPECT_EQ(tokens.cut, cut) << text;
    ASSERT_EQ(tokens.ids.size(), length) << text;
    EXPECT_EQ(tokens.ids.front(), kStart) << text;
    EXPECT_EQ(tokens.ids.back(), kEnd) << text;
  }
}

TEST(Tokenizer, ReadsIdsBack) {
  const Tokenizer tokenizer = Tokenizer::built_in();
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_EQ(tokenizer.decode({kStart, kEnd, kEnd}), "");
  EXPECT_EQ(tokenizer.decode({-1, 49408, int64_t{1} << 40}), "");
  for (const char* text : {"a large blue star", "naïve café", "привет мир", "日本", "😀 🚀"})
    EXPECT_EQ(tokenizer.decode(ids_of(tokenizer, text)), text);
}

TEST(Tokenizer, TakesIllFormedTextAsReplacementCharacters) {
  struct Case {
    std::string bytes;
    std::string as;
  };
  const Case cases[] = {
      {"a\xff"
       "b",
       "a\ufffd"
       "b"},
      {"\xc0\x80", "\ufffd\ufffd"},                        // too long a form of U+0000
      {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},              // a surrogate
      {"\xf4\x90\x80\x80x", "\ufffd\ufffd\ufffd\ufffdx"},  // beyond U+10FFFF
      {"a\xe2\x82", "a\ufffd"},                            // ends in the middle
      {"\xe2\x82z", "\ufffdz"},
  };
  const Tokenizer tokenizer = Tokenizer::built_in();
  for (const auto& [bytes, as] : cases) EXPECT_EQ(tokenizer.encode(bytes).ids, tokenizer.encode(as).ids) << as;
}

TEST(Tokenizer, TakesEveryByteValue) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_GT(Tokenizer::built_in().encode(all).length, 77u);
  EXPECT_EQ(ids_of(Tokenizer::built_in(), std::string("a\0b", 3)), (std::vector<int64_t>{kStart, 320, 444, 321, kEnd}));
}

// n log n steps take tenths of a second here, a sanitizer makes them seconds; quadratic ones would
// take minutes.
TEST(Tokenizer, StaysQuickOnVeryLongWords) {
  const auto repeated = [](std::string_view part, size_t count) {
    std::string text = "a";
    while (count-- > 0) text += part;
    return text;
  };
  const Tokenizer tokenizer = Tokenizer::built_in();
  for (const char* part :
       {"a", "ab", "!", "1", "\u0301\u0316", "\u0f73", "\u1100\u1161", "<|endoftext|>", "<|", "\xff"}) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_GT(tokenizer.encode(repeated(part, 100000)).length, 1000u) << part;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_LT(seconds.count(), 10.0) << part;
  }
}

TEST(Tokenizer, ServesSeveralThreadsAtOnce) {
  const auto expected = Tokenizer::built_in().encode("a photo of an astronaut riding a horse on mars").ids;
  std::vector<std::thread> threads;
  std::array<int, 8> wrong{};
  for (auto& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        count += Tokenizer::built_in().encode("A photo of an astronaut  riding a horse on Mars").ids != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const int count : wrong) EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace fresco::text
