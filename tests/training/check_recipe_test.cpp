// Recipes that read well and make no sense; and those that come with fresco, which do.
#include "fresco/training/check_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/pipeline/model_specs.h"
#include "fresco/training/model_configs.h"
#include "fresco/training/read_recipe.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const fs::path kRecipes = FRESCO_SOURCE_DIR "/recipes";
const std::string kModels = FRESCO_SOURCE_DIR "/models";

// As if it stood beside the others, so that tiny-model is found.
Recipe read(const std::string& text) { return parse_recipe(text, kRecipes / "test.yaml"); }

// A sound recipe of a VAE, a text encoder and a U-Net, with these lines in the U-Net's phase.
Recipe sound(const std::string& lines = "", const std::string& watch = "") {
  return read("model: tiny-model\nwatch: {prompts: [a star], validation_samples: 16" + watch + R"(}
defaults: {data: {path: shapes, count: 500}, steps: 100, batch: 8, fit: {resolution: 64}}
phases:
  - {name: vae, kind: autoencoder}
  - {name: text, kind: attributes}
  - name: unet
    noise: {betas: cosine, zero_terminal_snr: true}
)" + lines);
}

TEST(CheckRecipe, FindsNothingInASoundOne) {
  const auto findings = check_recipe(sound());
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_THAT(findings.warnings, IsEmpty());
  EXPECT_NO_THROW(require_sound(sound(), findings));
}

struct Case {
  std::string name, lines;
  std::vector<std::string> words;  // of one line
  int64_t processes = 1;
  std::string watch = "";
};

std::vector<std::string> with(const std::vector<std::string>& lines, const std::vector<std::string>& words) {
  std::vector<std::string> found;
  for (const auto& line : lines)
    if (std::all_of(words.begin(), words.end(), [&](const auto& word) { return line.find(word) != line.npos; }))
      found.push_back(line);
  return found;
}

class Problems : public testing::TestWithParam<Case> {};
class Warnings : public testing::TestWithParam<Case> {};

TEST_P(Problems, AreNamed) {
  const auto recipe = sound(GetParam().lines, GetParam().watch);
  const auto findings = check_recipe(recipe, GetParam().processes);
  EXPECT_THAT(with(findings.problems, GetParam().words), SizeIs(1)) << testing::PrintToString(findings.problems);
  for (const auto& line : findings.problems) EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THROW(require_sound(recipe, findings), InputError);
}

TEST_P(Warnings, AreNamed) {
  const auto findings = check_recipe(sound(GetParam().lines, GetParam().watch), GetParam().processes);
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_THAT(with(findings.warnings, GetParam().words), SizeIs(1)) << testing::PrintToString(findings.warnings);
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, Problems,
    testing::ValuesIn(std::vector<Case>{
        {"processes", "", {"phases[2].batch: 8 does not divide among 3 processes; 6 or 9 would"}, 3},
        {"micro_batch",
         "    micro_batch: 3\n",
         {"8 does not divide by micro_batch 3 in each of 2 processes; 6 or 12 would"},
         2},
        {"no_batch", "    batch: 0\n", {"phases[2].batch: not stated"}},
        {"no_steps", "    steps: 0\n", {"phases[2].steps: not stated"}},
        {"latent_side", "    fit: {resolution: 60}\n", {"phases[2].fit.resolution", "multiple of 8", "got 60"}},
        {"unet_side", "    fit: {resolution: 72}\n", {"cannot take a side of 72 pixels; the nearest", "64 and 104"}},
        {"crop", "  - {name: b, like: vae, autoencoder: {crop: 72}}\n", {"crop: 72 pixels cannot be cut out of 64"}},
        {"crop_side",
         "  - {name: b, like: vae, autoencoder: {crop: 30}}\n",
         {"crop: expected a multiple of 8, got 30"}},
        {"warm_up",
         "    schedule: {warmup: 100}\n",
         {"phases[2].schedule.warmup: 100 steps, but the phase ends after 100"}},
        {"no_points", "    schedule: {kind: piecewise}\n", {"at least one [step, factor]"}},
        {"points_alone", "    schedule: {points: [[0, 1]]}\n", {"only for `kind: piecewise`"}},
        {"points_back", "    schedule: {kind: piecewise, points: [[5, 1], [2, 0]]}\n", {"steps go back from 5 to 2"}},
        {"average_never", "    ema: {decay: 0.9, start: 100}\n", {"would begin at step 100"}},
        {"epsilon", "    loss: {prediction: epsilon}\n", {"epsilon cannot be learnt with zero_terminal_snr"}},
        {"late", "    loss: {late_share: 0.5, late_from: 1000}\n", {"1000 lies beyond the last timestep, 999"}},
        {"betas",
         "  - {name: b, like: unet, noise: {betas: linear, beta_start: 0.02, beta_end: 0.01}}\n",
         {"0.02 does not lie below"}},
        {"text_rate", "    optimizer: {text_learning_rate: 1e-4}\n", {"only for `train: both`"}},
        {"no_folder",
         "    data: [/no/such/pictures]\n",
         {"phases[2].data[0].path: /no/such/pictures: no such file or folder"}},
        {"no_shards", "    data: [\"/no/such/{0..9}.tar\"]\n", {"/no/such/0.tar: no such file"}},
        {"no_path", "    data: {count: 5}\n", {"phases[2].data[0].path: not stated"}},
        {"no_data", "    data: []\n", {"phases[2].data: there is none"}},
        {"no_count", "    data: shapes\n", {"say how many"}},
        {"few",
         "    data: {path: shapes, count: 8}\n    batch: 16\n",
         {"8 samples, 0 of them for validation, do not fill a batch of 16"}},
        {"score", "    data: {path: shapes, count: 500, filters: {min_score: 5}}\n", {"need the name of a number"}},
        {"scores",
         "    data: {path: /tmp, filters: {score: a, min_score: 5, max_score: 4}}\n",
         {"min_score 5 lies above"}},
        {"captions",
         "    data: {path: /tmp, filters: {min_caption: 5, max_caption: 4}}\n",
         {"min_caption 5 lies above"}},
        {"aspect", "    data: {path: /tmp, filters: {max_aspect: 0.5}}\n", {"0.5 leaves nothing"}},
        {"no_cache", "    cache: no-such-cache\n", {"phases[2].cache", "no-such-cache: no such folder"}},
        {"cache_before", "    cache: tiny-model\n", {"was made before vae trains the VAE"}},
        {"same_name", "  - {name: vae, like: unet}\n", {"phases[3].name: phases[0] is called vae too"}},
        {"odd_name", "  - {name: a/b, like: unet}\n", {"phases[3].name: expected", "got \"a/b\""}},
        {"vae_after",
         "  - {name: again, kind: autoencoder}\n",
         {"phases[3]: would change the VAE that made the latents of"}},
        {"spike", "", {"watch.spike: expected 0 or above 1, got 0.5"}, 1, ", spike: 0.5"},
    }),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Recipes, Warnings,
    testing::ValuesIn(std::vector<Case>{
        {"paper", "    loss: {min_snr: paper}\n", {"phases[2].loss.min_snr: paper weighs the last timestep"}},
        {"noise_offset", "    loss: {noise_offset: 0.1}\n", {"not needed with zero_terminal_snr"}},
        {"no_dropout", "    caption_dropout: 0\n", {"guidance has nothing"}},
        {"all_dropped", "    caption_dropout: 1\n", {"no caption is ever seen"}},
        {"long_average", "    ema: {decay: 0.9999}\n", {"after its 100 steps the average still holds 99 %"}},
        {"average_of_nothing", "    ema: {power: 0.7}\n", {"no average is kept without a decay"}},
        {"adamw_norm", "    optimizer: {smallest_norm: 1}\n", {"LAMB's alone"}},
        {"large_rate", "    optimizer: {learning_rate: 0.1}\n", {"0.1 is unusually large for adamw"}},
        {"final_factor", "    schedule: {final_factor: 0.5}\n", {"only for linear and cosine"}},
        {"points_beyond",
         "    schedule: {kind: piecewise, points: [[0, 1], [200, 0]]}\n",
         {"at step 200, the phase ends at 100"}},
        {"flip", "    fit: {flip: true}\n", {"left and right"}},
        {"text_after", "  - {name: again, kind: attributes}\n", {"phases[3]: changes the text encoder that phases[2]"}},
    }),
    [](const auto& info) { return info.param.name; });

TEST(CheckRecipe, KnowsWhichNetworksAreTrainedWhen) {
  const std::string head =
      "model: tiny-model\ndefaults: {data: {path: shapes, count: 500}, steps: 9, batch: 8, fit: {resolution: 64}}\n";
  EXPECT_THAT(
      check_recipe(read(head + "phases: [{name: unet}, {kind: autoencoder}]\n")).problems,
      testing::IsSupersetOf({HasSubstr("phases[0]: needs the VAE that phases[1] trains; put that phase before it"),
                             HasSubstr("phases[0]: needs a trained text encoder; no phase trains it and")}));
  EXPECT_THAT(check_recipe(read(head + "from_nothing: false\nphases: [{name: unet}]\n")).problems,
              testing::IsSupersetOf({HasSubstr("from_nothing: needs a trained U-Net;")}));
  const auto finetuned =
      check_recipe(read("model: " + kModels + "/starter-128\nfrom_nothing: false\n" +
                        "phases: [{data: {path: shapes, count: 500}, steps: 9, batch: 8, fit: {resolution: 128}}]"));
  EXPECT_THAT(finetuned.problems, IsEmpty());
  EXPECT_THAT(finetuned.warnings, Contains(HasSubstr("not the noise that the model was trained with")));
}

TEST(CheckRecipe, NamesModelsThatAreNotThere) {
  EXPECT_THAT(check_recipe(read("name: a")).problems,
              testing::IsSupersetOf({HasSubstr("model: none is named"), HasSubstr("phases: there is none")}));
  EXPECT_THAT(check_recipe(read("model: ./nowhere")).problems,
              Contains(HasSubstr("no such folder; expected a folder with configs")));
  EXPECT_THAT(check_recipe(read("model: owner/name\nfrom_nothing: false")).warnings,
              Contains(HasSubstr("taken for a model on the hub")));
  EXPECT_THAT(check_recipe(read("model: tiny-model/vae")).problems, Contains(HasSubstr("model: ")));
}

class Shipped : public testing::TestWithParam<const char*> {};

TEST_P(Shipped, IsSound) {
  const auto findings = check_recipe(read_recipe(kRecipes / GetParam()));
  EXPECT_THAT(findings.problems, IsEmpty());
  EXPECT_THAT(findings.warnings, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Recipes, Shipped, testing::Values("starter.yaml", "tiny.yaml"));

TEST(Shipped, PublishedRecipeLacksWhatItsHeadSays) {
  const auto findings = check_recipe(read_recipe(kRecipes / "decidiffusion-1.0.yaml"), 64);
  EXPECT_THAT(findings.warnings, IsEmpty());
  EXPECT_THAT(findings.problems, SizeIs(6)) << testing::PrintToString(findings.problems);
  EXPECT_THAT(findings.problems,
              testing::Each(testing::AnyOf(HasSubstr("holds no weights"), HasSubstr("no such file"))));
}

TEST(Shipped, StarterFitsInto20Megabytes) {
  const auto specs = pipeline::read_specs(open_configs(kRecipes / "starter-model"));
  int64_t elements = 0;
  const auto add = [&](const auto& tensors) {
    for (const auto& tensor : tensors) elements += *checked_elements(tensor.shape);
  };
  add(unet::expected_tensors(specs.unet));
  add(vae::expected_tensors(specs.vae));
  add(text::expected_tensors(specs.text));
  EXPECT_LE(2 * elements, 20'000'000);
  EXPECT_GE(2 * elements, 19'000'000);
}

TEST(Shipped, PublishedLayoutHasItsParameters) {
  const auto specs = pipeline::read_specs(open_configs(kRecipes / "decidiffusion-1.0-model"));
  int64_t elements = 0;
  for (const auto& tensor : unet::expected_tensors(specs.unet)) elements += *checked_elements(tensor.shape);
  EXPECT_EQ(elements, 814'746'884);
}

}  // namespace
}  // namespace fresco::training
