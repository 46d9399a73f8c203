#include "compare_options.h"

#include <limits>

#include "fresco/core/error.h"
#include "prompts.h"

namespace fresco::cli {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();
constexpr int64_t kLargestSeed = std::numeric_limits<int64_t>::max();
constexpr const char* kExamples = R"(Examples:
  fresco compare Deci/DeciDiffusion-v1-0 stable-diffusion-v1-5/stable-diffusion-v1-5
  fresco compare ./model-a ./model-b.safetensors --prompts prompts.txt --price-per-hour 1.20 --out report
  fresco compare models/starter-128 models/starter-128 --steps 30,10
  fresco compare ./model ./model --precision f32,bf16 --prompt "a red bicycle" --repeat 3
Where A,B stands, one value counts for both models. Without --prompt and --prompts it draws eight sentences of its own.)";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  size_t begin = 0;
  for (size_t end = text.find(','); end != std::string::npos; end = text.find(',', begin)) {
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  words.push_back(text.substr(begin));
  return words;
}

/// "X" counts for both models, "X,Y" for A, then B. `set` takes a side's choices and its word.
template <typename Set>
CLI::Option* add_both(CLI::App& app, CompareOptions& options, const std::string& name, const std::string& help,
                      Set set) {
  const auto take = [name, set, &options](const std::string& text) {
    const std::vector<std::string> words = split(text);
    const bool empty = std::any_of(words.begin(), words.end(), [](const std::string& word) { return word.empty(); });
    if (words.size() > 2 || empty)
      throw InputError(name, expected_got("one value for both models, or two as A,B", '"' + printable(text, 60) + '"'));
    for (size_t side = 0; side < 2; ++side) set(options.sides[side], words[words.size() == 1 ? 0 : side]);
  };
  return app.add_option_function<std::string>(name, take, help)->type_name("A,B")->take_last()->group("For each model");
}

auto text_into(OptionalText Choices::*choice) {
  return [choice](Choices& side, const std::string& word) { side.*choice = word; };
}

auto real_into(std::optional<double> Choices::*choice, const std::string& name) {
  return [choice, name](Choices& side, const std::string& word) { side.*choice = parse_real(name, word); };
}

void declare_prompts(CLI::App& app, CompareOptions& options) {
  const char* group = "Pictures";
  const auto take_prompt = [&options](const std::string& text) {
    if (!is_utf8(text)) throw InputError("--prompt", "expected text in UTF-8, got other bytes");
    options.prompts.push_back(text);
  };
  app.add_option_function<std::string>("--prompt", take_prompt, "A sentence to draw; may be given again and again")
      ->type_name("TEXT")
      ->trigger_on_parse()
      ->group(group);
  add_text(app, "--prompts", options.prompts_file, "FILE", "Read prompts from a file, one a line (# starts a comment)")
      ->group(group);
  add_text(app, "--negative", options.common.negative, "TEXT", "What the pictures should not show")->group(group);
  add_integer(app, "--seed", options.seed, 0, kLargestSeed, "First seed of each prompt (default 1)")->group(group);
  add_integer(app, "--count", options.count, 1, 1000, "Pictures of each prompt, from seeds in a row (default 1)")
      ->group(group);
  const auto take_seeds = [&options](const std::string& text) {
    options.seeds.clear();
    for (const std::string& word : split(text))
      options.seeds.push_back(static_cast<uint64_t>(parse_integer("--seeds", word, 0, kLargestSeed)));
  };
  app.add_option_function<std::string>("--seeds", take_seeds, "Instead: each prompt with each of these seeds")
      ->type_name("N,N,...")
      ->take_last()
      ->group(group);
  add_integer(app, "--width", options.common.width, 1, kMost, "Width in pixels (default: each model's)")->group(group);
  add_integer(app, "--height", options.common.height, 1, kMost, "Height in pixels (default: each model's)")
      ->group(group);
}

void declare_sides(CLI::App& app, CompareOptions& options) {
  add_both(app, options, "--steps", "Steps of the sampler (default: what each model was published with)",
           [](Choices& side, const std::string& word) {
             side.steps = static_cast<int>(parse_integer("--steps", word, 1, 1000));
           });
  add_both(app, options, "--sampler", "Of `fresco samplers` (default: each model's)", text_into(&Choices::sampler));
  add_both(app, options, "--guidance", "How closely to follow the prompt (default 7.5)",
           real_into(&Choices::guidance, "--guidance"));
  add_both(app, options, "--guidance-rescale", "Rescaling of the guided output, 0 to 1 (default: each model's)",
           real_into(&Choices::guidance_rescale, "--guidance-rescale"));
  add_both(app, options, "--precision", "What is multiplied: auto, f32, bf16, f16, int8, fast (default auto)",
           text_into(&Choices::precision));
  add_both(app, options, "--memory", "fast, or lean: weights stay in the model's file (default fast)",
           text_into(&Choices::memory));
  add_both(app, options, "--ops",
           "Form of the operators: auto (default), amx, avx512-bf16, avx512, avx2, onednn, reference",
           text_into(&Choices::ops));
  add_both(app, options, "--revision", "Branch, tag or commit of a hub id (default main)",
           text_into(&Choices::revision));
}

void declare_rest(CLI::App& app, CompareOptions& options) {
  const char* group = "Measuring";
  add_integer(app, "--repeat", options.repeat, 1, 1000, "Draw and time every picture so often (default 1)")
      ->group(group);
  add_real(app, "--price-per-hour", options.price_per_hour, "Of this machine: adds the price of 10,000 pictures")
      ->group(group);
  add_text(app, "--device", options.common.device, "auto|cpu|cuda", "Where to compute (default auto)")->group(group);
  add_integer(app, "--threads", options.common.threads, 1, 4096, "Threads of the CPU (default: all processors)")
      ->group(group);
  group = "Output";
  add_text(app, "--out", options.out, "FOLDER",
           "Where report.html, report.json and the pictures go (default: compare-A-B)")
      ->group(group);
  app.add_flag("--overwrite", options.overwrite, "Replace files that exist")->group(group);
  app.add_flag("--json", options.json, "Tell progress and results as JSON, an object a line, on standard output")
      ->group(group);
  app.add_flag("--quiet", options.quiet, "Print only warnings and errors")->group(group);
}

}  // namespace

void declare(CLI::App& app, CompareOptions& options) {
  declare_prompts(app, options);
  declare_sides(app, options);
  declare_rest(app, options);
  app.footer(kExamples);
}

}  // namespace fresco::cli
