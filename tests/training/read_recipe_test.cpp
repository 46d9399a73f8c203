// Recipes: what is read, what is refused and with which words.
#include "fresco/training/read_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/training/print_recipe.h"
#include "fresco/training/yaml_scalars.h"

namespace fresco::training {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const char* const kPlace = "/recipes/small.yaml";

Recipe read(const std::string& text) { return parse_recipe(text, kPlace); }

const std::string kSmall = R"(# two phases
name: small
seed: 7
model: ./models/tiny
defaults:
  batch: 32
  optimizer: {learning_rate: 1e-3, weight_decay: 0.02}
phases:
  - kind: autoencoder
    data: {path: shapes, count: 14k, seed: 3}
    steps: 1_800
    autoencoder: {l1: 1, kl: 2e-4}
  - name: first
    data: [pictures, "shards/{00000..00041}.tar", "https://example.org/{0..9}.tar"]
    steps: 1.28M
    optimizer: {kind: lamb}
    schedule: {kind: piecewise, points: [[0, 1], [10k, 0.5]]}
    train: both
  - name: second
    like: first
    steps: 870k
    optimizer: {learning_rate: 5e-4}
watch:
  prompts: [a red square]
  validation_samples: 0
)";

TEST(ReadRecipe, TakesPhasesDefaultsAndLikeness) {
  const auto recipe = read(kSmall);
  EXPECT_EQ(recipe.name, "small");
  EXPECT_EQ(recipe.seed, 7u);
  EXPECT_EQ(recipe.model, "/recipes/models/tiny");
  ASSERT_EQ(recipe.phases.size(), 3u);
  const auto &vae = recipe.phases[0], &first = recipe.phases[1], &second = recipe.phases[2];
  EXPECT_EQ(vae.name, "1-autoencoder");
  EXPECT_EQ(vae.kind, PhaseKind::autoencoder);
  EXPECT_EQ(vae.steps, 1800);
  EXPECT_EQ(vae.batch, 32);
  ASSERT_EQ(vae.data.size(), 1u);
  EXPECT_EQ(vae.data[0].path, "shapes");
  EXPECT_EQ(vae.data[0].count, 14000);
  EXPECT_DOUBLE_EQ(vae.autoencoder.kl, 2e-4);
  ASSERT_EQ(first.data.size(), 3u);
  EXPECT_EQ(first.data[0].path, "/recipes/pictures");
  EXPECT_EQ(first.data[1].path, "/recipes/shards/{00000..00041}.tar");
  EXPECT_EQ(first.data[2].path, "https://example.org/{0..9}.tar");
  EXPECT_EQ(first.steps, 1280000);
  EXPECT_EQ(first.optimizer.kind, OptimizerKind::lamb);
  EXPECT_DOUBLE_EQ(first.optimizer.learning_rate, 1e-3);
  EXPECT_THAT(first.schedule.points, ElementsAre(std::pair(int64_t{0}, 1.0), std::pair(int64_t{10000}, 0.5)));
  EXPECT_EQ(second.name, "second");
  EXPECT_EQ(second.train, Trained::both);
  EXPECT_EQ(second.optimizer.kind, OptimizerKind::lamb);
  EXPECT_DOUBLE_EQ(second.optimizer.learning_rate, 5e-4);
  EXPECT_DOUBLE_EQ(second.optimizer.weight_decay, 0.02);
  EXPECT_THAT(recipe.watch.prompts, ElementsAre("a red square"));
}

TEST(ReadRecipe, PrintsWhatItReadsBack) {
  const auto recipe = read(kSmall);
  for (const auto& text : {to_json(recipe).dump(2), to_yaml(recipe)}) {
    const auto again = read(text);
    EXPECT_THAT(differences(recipe, again), ElementsAre()) << text;
    EXPECT_EQ(to_json(again), to_json(recipe));
  }
}

TEST(ReadRecipe, TellsTwoRecipesApart) {
  const auto before = read(kSmall);
  auto after = before;
  after.phases[1].optimizer.learning_rate = 0.002;
  after.phases[1].data[0].filters.min_score = 5;
  after.phases[2].schedule.points.clear();
  after.watch.prompts.push_back("a blue circle");
  EXPECT_THAT(differences(before, after),
              ElementsAre("phases[1].data[0].filters.min_score: nothing -> 5.0",
                          "phases[1].optimizer.learning_rate: 0.001 -> 0.002",
                          "phases[2].schedule.points: [[0,1.0],[10000,0.5]] -> []",
                          "watch.prompts: [\"a red square\"] -> [\"a red square\",\"a blue circle\"]"));
  after = before;
  after.phases.pop_back();
  EXPECT_THAT(differences(before, after), ElementsAre("phases: 3 of them -> 2"));
}

TEST(ReadRecipe, LeavesHubIdsAndStatedNothing) {
  EXPECT_EQ(read("model: runwayml/stable-diffusion-v1-5\nphases:\nwatch:\n").model, "runwayml/stable-diffusion-v1-5");
  EXPECT_EQ(read("model: ../m/\n").model, "/m");
  EXPECT_EQ(read("name: x\n").model, "");
  EXPECT_EQ(read("seed: 18446744073709551615\n").seed, 18446744073709551615u);
  EXPECT_EQ(read("seed: 1\n").name, "small");  // of the file
}

struct Bad {
  std::string name, text;
  std::vector<std::string> words;
};
class BadRecipes : public testing::TestWithParam<Bad> {};

TEST_P(BadRecipes, AreRefusedInOneLine) {
  try {
    read(GetParam().text);
    FAIL() << "was taken";
  } catch (const InputError& error) {
    for (const auto& word : GetParam().words) EXPECT_THAT(error.what(), HasSubstr(word));
    EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
    EXPECT_THAT(error.what(), testing::StartsWith(kPlace));
  }
}

std::string phase(const std::string& lines) { return "phases:\n  - steps: 5\n" + lines; }

INSTANTIATE_TEST_SUITE_P(
    Recipes, BadRecipes,
    testing::ValuesIn(std::vector<Bad>{
        {"empty", "", {"empty"}},
        {"comment", "# nothing\n", {"the file is empty"}},
        {"no_map", "- a\n", {"small.yaml:1", "expected a map of keys, got a list"}},
        {"broken", "a: [1,\nb: 2", {"small.yaml:2", "not YAML"}},
        {"tab", "watch:\n\tlog_every: 5\n", {"small.yaml:2", "not YAML"}},
        {"unknown", "sed: 1\n", {"small.yaml:1: sed: no such key; did you mean seed?"}},
        {"unknown_below",
         phase("    optimizer:\n      learning_rat: 1\n"),
         {"small.yaml:4: phases[0].optimizer.learning_rat: no such key; did you mean learning_rate?"}},
        {"in_another_group",
         phase("    learning_rate: 1\n"),
         {"phases[0].learning_rate: no such key; did you mean phases[].optimizer.learning_rate?"}},
        {"far_from_all", "xylophone: 1\n", {"no such key; known are name, seed, model"}},
        {"unknown_default", "defaults:\n  bach: 3\nphases: [{steps: 1}]\n", {"small.yaml:2", "did you mean batch?"}},
        {"text_for_count",
         phase("    batch: many\n"),
         {"small.yaml:3: phases[0].batch: expected a whole number, such as 5000 or 870k, got \"many\""}},
        {"fraction_for_count", phase("    batch: 1.5\n"), {"a whole number", "\"1.5\""}},
        {"negative_count", phase("    batch: -4\n"), {"expected 0 or more, got \"-4\""}},
        {"text_for_number", phase("    caption_dropout: ten\n"), {"expected a number, got \"ten\""}},
        {"comma", phase("    caption_dropout: 0,1\n"), {"expected a number, got \"0,1\""}},
        {"not_finite", phase("    ema: {power: .inf}\n"), {"expected a number, got \".inf\""}},
        {"nan", phase("    ema: {power: nan}\n"), {"expected a number"}},
        {"beyond_range", phase("    caption_dropout: 10\n"), {"expected at most 1, got \"10\""}},
        {"rate_of_nothing",
         phase("    optimizer: {learning_rate: 0}\n"),
         {"expected above 0 and at most 10, got \"0\""}},
        {"nothing_for_number", phase("    caption_dropout:\n"), {"expected a number, got nothing"}},
        {"word_for_flag", "from_nothing: maybe\n", {"expected true or false, got \"maybe\""}},
        {"unknown_word",
         phase("    optimizer: {kind: adam}\n"),
         {"expected one of adamw, lamb, got \"adam\"; did you mean adamw?"}},
        {"map_for_text", "name: {a: b}\n", {"name: expected a text, got a map of keys"}},
        {"list_for_group", "watch: [1]\n", {"watch: expected a map of keys, got a list"}},
        {"text_for_list", "phases: diffusion\n", {"phases: expected a list, got \"diffusion\""}},
        {"text_for_phase", "phases: [diffusion]\n", {"phases[0]: expected a map of keys"}},
        {"points_of_three", phase("    schedule: {points: [[1, 2, 3]]}\n"), {"expected [step, factor], got a list"}},
        {"negative_seed", "seed: -1\n", {"expected a whole number of 0 or more"}},
        {"twice", "seed: 1\nname: a\nseed: 2\n", {"small.yaml:3", "\"seed\" occurs twice"}},
        {"other_kinds_key",
         phase("    kind: autoencoder\n    caption_dropout: 0.1\n"),
         {"small.yaml:4", "has no meaning in a phase of kind autoencoder, only in one of kind diffusion"}},
        {"other_kinds_group", phase("    autoencoder: {l1: 1}\n"), {"no meaning in a phase of kind diffusion"}},
        {"like_nobody", phase("    like: me\n"), {"like: expected the name of a phase before this one, got \"me\""}},
        {"like_later", "phases:\n  - like: b\n  - name: b\n", {"small.yaml:2", "a phase before this one"}},
        {"name_for_all", "defaults: {name: a}\n", {"defaults.name: belongs to a single phase"}},
        {"alias", "a: &x 1\nb: *x\n", {"small.yaml:1", "anchors (&name) are not taken"}},
        {"bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", {"anchors"}},
        {"tag", "seed: !!int 5\n", {"tags such as"}},
        {"two_documents", "seed: 1\n---\nseed: 2\n", {"expected one document"}},
        {"deep", std::string(3000, '['), {"nested deeper than"}},
        {"key_of_a_list", "? [a]\n: b\n", {"expected a key, got a list"}},
        {"control_characters", "\"na\\u0007me\": 1\n", {"na\\x07me"}},
        {"latin_1", "name: caf\xe9\n", {"small.yaml:1", "UTF-8"}},
        {"long_path", phase("    data: \"" + std::string(5000, '{') + "\"\n"), {"longer than 4096 characters"}},
        {"crowd",
         "x: [" +
             [] {
               std::string many;
               for (int i = 0; i < 20000; ++i) many += "1,";
               return many;
             }() +
             "]",
         {"more than 10000 values"}},
    }),
    [](const auto& info) { return info.param.name; });

TEST(ReadRecipe, DefaultsOfAnotherKindDoNoHarm) {
  const auto recipe = read(
      "defaults: {caption_dropout: 0.2, autoencoder: {kl: 0.5}}\n"
      "phases: [{kind: autoencoder, steps: 1}, {steps: 1}]\n");
  EXPECT_EQ(recipe.phases[0].autoencoder.kl, 0.5);
  EXPECT_EQ(recipe.phases[1].caption_dropout, 0.2);
  EXPECT_FALSE(to_json(recipe)["phases"][0].contains("caption_dropout"));
  EXPECT_FALSE(to_json(recipe)["phases"][1].contains("autoencoder"));
}

TEST(ReadRecipe, RefusesWhatIsNoFile) {
  EXPECT_THROW(read_recipe("/no/such/recipe.yaml"), InputError);
  EXPECT_THROW(read_recipe("/tmp"), InputError);
}

TEST(Scalars, AreCountedExactly) {
  const std::pair<const char*, int64_t> good[] = {
      {"0", 0},         {"870k", 870000}, {"1.28M", 1280000}, {"2G", 2000000000},
      {"1e6", 1000000}, {"1_000", 1000},  {"12.50k", 12500},  {"9223372036854775807", INT64_MAX},
      {"-3", -3},       {"1.5e1", 15},    {"20e-1", 2},       {".5k", 500},
      {"0e20", 0}};
  for (const auto& [text, value] : good) EXPECT_EQ(parse_count(text), value) << text;
  for (const char* text : {"", "k", "1.2", "1.2345k", "9223372036854775808", "1e40", "0x10", "1 000", "--1", "1e",
                           "1..2", "_1", "e5", ".", "1M5"})
    EXPECT_FALSE(parse_count(text)) << text;
  for (const char* text : {"", "1,5", "inf", "nan", "1e999", "0x1p3", "1 ", "++1"})
    EXPECT_FALSE(parse_number(text)) << text;
  EXPECT_EQ(parse_number("+1e-4"), 1e-4);
}

// docs/training.md holds the reference between two marks; FRESCO_UPDATE_DOCUMENTS=1 writes it anew.
TEST(Reference, StandsInTheDocument) {
  const std::filesystem::path file = FRESCO_SOURCE_DIR "/docs/training.md";
  const std::string begin = "<!-- keys: written by tests/training/read_recipe_test.cpp -->\n",
                    end = "<!-- end of keys -->";
  auto text = read_file(file, 1 << 20);
  const auto from = text.find(begin), to = text.find(end);
  ASSERT_TRUE(from != text.npos && to != text.npos) << "the marks are missing";
  const std::string wanted = "\n" + recipe_reference() + "\n";
  if (std::getenv("FRESCO_UPDATE_DOCUMENTS")) {
    text.replace(from + begin.size(), to - from - begin.size(), wanted);
    write_file(file, text, true);
  } else {
    EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), wanted)
        << "FRESCO_UPDATE_DOCUMENTS=1 writes it anew";
  }
}

}  // namespace
}  // namespace fresco::training
