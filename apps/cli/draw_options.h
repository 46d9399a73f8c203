#pragma once
// What `fresco draw` was asked for. Choices are kept apart from their defaults, so that those of a picture file (--like) and those of
// the command line can be laid over each other.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"

namespace fresco::cli {

using OptionalText = std::optional<std::string>;

/// Everything that decides a picture. Empty: not said.
struct Choices {
  OptionalText model, revision, config, vae;
  OptionalText negative, sampler, schedule, squeeze, init, mask;
  std::optional<int> steps, clip_skip;
  std::optional<double> eta, guidance, guidance_rescale, strength;
  std::optional<int64_t> width, height;
  OptionalText device, precision, calibration, memory, ops;
  std::optional<int> threads;
};

/// visit(name, a.member, b.member, ...) for every choice, under the name that options and picture files share.
template <typename Visitor, typename... AnyChoices>
void for_each_choice(Visitor&& visit, AnyChoices&... choices) {
  visit("model", choices.model...);
  visit("revision", choices.revision...);
  visit("config", choices.config...);
  visit("vae", choices.vae...);
  visit("negative", choices.negative...);
  visit("sampler", choices.sampler...);
  visit("schedule", choices.schedule...);
  visit("squeeze", choices.squeeze...);
  visit("init", choices.init...);
  visit("mask", choices.mask...);
  visit("steps", choices.steps...);
  visit("clip_skip", choices.clip_skip...);
  visit("eta", choices.eta...);
  visit("guidance", choices.guidance...);
  visit("guidance_rescale", choices.guidance_rescale...);
  visit("strength", choices.strength...);
  visit("width", choices.width...);
  visit("height", choices.height...);
  visit("device", choices.device...);
  visit("precision", choices.precision...);
  visit("calibration", choices.calibration...);
  visit("memory", choices.memory...);
  visit("ops", choices.ops...);
  visit("threads", choices.threads...);
}

/// What `--profile` means without a file.
constexpr const char* kBesidePicture = ".";

struct DrawOptions {
  std::vector<std::string> prompts;
  OptionalText prompts_file;
  Choices choices;
  bool seed_given = false;
  std::optional<uint64_t> seed;  // empty though given: random
  std::optional<int> count, batch;
  OptionalText out, save_latents, preview, like;
  OptionalText profile;  // a file, or kBesidePicture
  bool overwrite = false;
  bool grid = false;
  bool json = false;
  bool quiet = false;
};

/// Declares the options of `fresco draw` on `app`; parsing fills `options`.
void declare(CLI::App& app, DrawOptions& options);

/// `--profile` may stand alone or before a file: a word that does not end in .json is a prompt, as it would be without the option.
Arguments with_profile_value(Arguments arguments);

}  // namespace fresco::cli
