#include "fresco/image/parameters.h"

#include <gtest/gtest.h>

namespace fresco::image {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;
const Settings kSettings = {{"Steps", "20"}, {"Sampler", "Euler a"}, {"CFG scale", "7.5"}, {"Seed", "1"}};
constexpr const char* kLine = "Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 1";

TEST(Parameters, AreWrittenAsOtherProgramsWriteThem) {
  const Parameters parameters{"a cat, oil painting",
                              "blurry, low quality",
                              {{"Steps", "20"},
                               {"Sampler", "DPM++ 2M Karras"},
                               {"CFG scale", "7"},
                               {"Seed", "1234"},
                               {"Size", "512x768"},
                               {"Model", "v1-5-pruned-emaonly"},
                               {"Version", "v1.6.0"}}};
  const std::string text =
      "a cat, oil painting\nNegative prompt: blurry, low quality\n"
      "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1234, Size: 512x768, Model: v1-5-pruned-emaonly, "
      "Version: v1.6.0";
  EXPECT_EQ(format_parameters(parameters), text);
  EXPECT_EQ(parse_parameters(text), parameters);
  EXPECT_EQ(parameters.find("Seed"), "1234");
  EXPECT_EQ(parameters.find("seed"), std::nullopt);
}

TEST(Parameters, ValuesAreQuotedWhereNeeded) {
  const struct {
    const char* value;
    const char* written;
  } cases[] = {{"plain", "plain"},
               {"with blanks", "with blanks"},
               {"", ""},
               {"a, b", "\"a, b\""},
               {"a: b", "\"a: b\""},
               {"a\nb", "\"a\\nb\""},
               {"say \"hi\", twice", "\"say \\\"hi\\\", twice\""},
               {"say \"hi\"", "say \"hi\""},
               {"\"whole\"", "\"\\\"whole\\\"\""},
               {"back\\slash", "back\\slash"},
               {"back\\slash, comma", "\"back\\\\slash, comma\""},
               {"\u732b, \U0001f600", "\"\u732b, \U0001f600\""}};
  for (const auto& [value, written] : cases) {
    Parameters parameters{"a cat", "", {{"Steps", "20"}, {"Extra", value}, {"Seed", "1"}}};
    const std::string text = format_parameters(parameters);
    EXPECT_EQ(text, "a cat\nSteps: 20, Extra: " + std::string(written) + ", Seed: 1");
    EXPECT_EQ(parse_parameters(text), parameters) << text;
  }
}

TEST(Parameters, NastyPromptsComeBack) {
  for (const char* prompt : {"a cat", "", "two\nlines", "Steps: 20, Sampler: Euler, Seed: 3",
                             "a cat\nSteps: 20, Sampler: Euler, Seed: 3, Size: 8x8", "mentions Negative prompt: inside",
                             "caf\u00e9 \u732b \U0001f600", "(cat:1.3), [dog], {x|y}, <lora:a:1>", "ends with a colon:",
                             "\"quoted, text\"", "a\n\nb", "Negative prompt", "negative prompt: small letters"}) {
    for (const char* negative : {"", "blurry", "two\nlines", "Steps: 20, Sampler: Euler, Seed: 3"}) {
      const Parameters parameters{prompt, negative, kSettings};
      EXPECT_EQ(parse_parameters(format_parameters(parameters)), parameters) << prompt << " / " << negative;
    }
  }
}

// What the format cannot tell apart; fresco keeps the exact request in a text of its own.
TEST(Parameters, AmbiguousPromptsComeBackAsOtherProgramsReadThem) {
  const struct {
    const char* prompt;
    const char* read_prompt;
    const char* read_negative;
  } cases[] = {{"a cat\nNegative prompt: dog", "a cat", "dog"},
               {"Negative prompt: dog", "", "dog"},
               {"  blanks  \n around ", "blanks\naround", ""}};
  for (const auto& [prompt, read_prompt, read_negative] : cases) {
    const Parameters read = parse_parameters(format_parameters({prompt, "", kSettings}));
    EXPECT_EQ(read, (Parameters{read_prompt, read_negative, kSettings})) << prompt;
  }
}

TEST(Parameters, LastLineNeedsThreePairs) {
  EXPECT_EQ(parse_parameters("a cat\nSteps: 20, Seed: 1"), (Parameters{"a cat\nSteps: 20, Seed: 1", "", {}}));
  EXPECT_EQ(parse_parameters("a cat\nSteps: 20, Seed: 1, X1: 3").settings.size(), 3u);
  EXPECT_EQ(parse_parameters(kLine), (Parameters{"", "", kSettings}));
  EXPECT_EQ(parse_parameters(""), Parameters{});
  EXPECT_EQ(parse_parameters("\r\n a cat \r\n" + std::string(kLine) + "\r\n"), (Parameters{"a cat", "", kSettings}));
}

TEST(Parameters, UnknownKeysAreKeptInOrder) {
  const std::string line =
      "Zeta: 1, Steps: 20, Hires upscale: 2, Lora hashes: \"a: 12, b: 34\", ADetailer-model/2: x y, Alpha: , \u732b1: "
      "5";
  const Parameters read = parse_parameters("a cat\n" + line);
  EXPECT_EQ(read.settings, (Settings{{"Zeta", "1"},
                                     {"Steps", "20"},
                                     {"Hires upscale", "2"},
                                     {"Lora hashes", "a: 12, b: 34"},
                                     {"ADetailer-model/2", "x y"},
                                     {"Alpha", ""},
                                     {"\u732b1", "5"}}));
  EXPECT_EQ(format_parameters(read), "a cat\n" + line);
}

TEST(Parameters, BrokenQuotesAreReadUpToTheComma) {
  const Parameters read = parse_parameters("Aa: \"open, Bb: \"x\"y, Cc: \"\", Dd: \"bad \\q\", Ee: 5");
  EXPECT_EQ(read.settings,
            (Settings{{"Aa", "\"open"}, {"Bb", "\"x\"y"}, {"Cc", ""}, {"Dd", "\"bad \\q\""}, {"Ee", "5"}}));
}

TEST(Parameters, AnyBytesAreRead) {
  std::string text;
  uint32_t state = 7;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 1664525u + 1013904223u;
    text += "ab: ,\"\\\n\xff\x80-/_1N"[state >> 28];
    if (i % 50 != 0) continue;
    EXPECT_NO_THROW(format_parameters(parse_parameters(text)));
  }
}

}  // namespace
}  // namespace fresco::image
