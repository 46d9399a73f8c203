// The model of a recipe, and whether each network is trained before another one needs it.
#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "fresco/core/error.h"
#include "fresco/data/fit.h"
#include "fresco/sampling/settings.h"
#include "fresco/training/model_configs.h"
#include "fresco/training/recipe_checks.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;

enum Network { kUnet, kText, kVae };
constexpr std::array<const char*, 3> kNames{"U-Net", "text encoder", "VAE"};

bool trains(const Phase& phase, Network network) {
  switch (phase.kind) {
    case PhaseKind::autoencoder:
      return network == kVae;
    case PhaseKind::attributes:
      return network == kText;
    case PhaseKind::diffusion:
      break;
  }
  return network == kUnet   ? phase.train != Trained::text_encoder
         : network == kText ? phase.train != Trained::unet
                            : false;
}

bool uses(const Phase& phase, Network network) { return phase.kind == PhaseKind::diffusion || trains(phase, network); }

class Order {
 public:
  Order(const Recipe& recipe, const fs::path& unet, Findings& findings)
      : phases_(recipe.phases), findings_(findings), from_nothing_(recipe.from_nothing) {
    const fs::path model = recipe.model;
    folders_ = {unet, model / "text_encoder", model / "vae"};
  }

  void check() {
    for (const Network network : {kUnet, kText, kVae}) {
      if (!from_nothing_ && !holds_weights(folders_[network])) refuse_empty("from_nothing", network);
      for (size_t i = 0; i < phases_.size(); ++i)
        if (from_nothing_ && uses(phases_[i], network) && !trained_until(i, network)) untrained(i, network);
    }
    for (size_t i = 0; i < phases_.size(); ++i) check_after_diffusion(i);
  }

 private:
  bool trained_until(size_t last, Network network) const {
    for (size_t i = 0; i <= last; ++i)
      if (trains(phases_[i], network)) return true;
    return false;
  }

  void untrained(size_t phase, Network network) {
    for (size_t i = phase + 1; i < phases_.size(); ++i)
      if (trains(phases_[i], network))
        return findings_.problem(place_of(phase), fmt::format("needs the {} that {} trains; put that phase before it",
                                                              kNames[network], place_of(i)));
    if (!holds_weights(folders_[network]) && !told_[network]) {
      told_[network] = true;
      refuse_empty(place_of(phase), network);
    }
  }

  void refuse_empty(const std::string& key, Network network) {
    findings_.problem(key, fmt::format("needs a trained {}; {}{} holds no weights", kNames[network],
                                       from_nothing_ ? "no phase trains it and " : "", folders_[network].string()));
  }

  void check_after_diffusion(size_t i) {
    for (size_t before = 0; before < i; ++before) {
      if (phases_[before].kind != PhaseKind::diffusion) continue;
      if (phases_[i].kind == PhaseKind::autoencoder)
        findings_.problem(place_of(i),
                          fmt::format("would change the VAE that made the latents of {}", place_of(before)));
      if (phases_[i].kind == PhaseKind::attributes)
        findings_.warning(place_of(i), fmt::format("changes the text encoder that {} trained with", place_of(before)));
      return;
    }
  }

  const std::vector<Phase>& phases_;
  Findings& findings_;
  bool from_nothing_;
  std::array<fs::path, 3> folders_;
  std::array<bool, 3> told_{};
};

std::string_view word(sampling::Prediction prediction) {
  return prediction == sampling::Prediction::epsilon    ? "epsilon"
         : prediction == sampling::Prediction::velocity ? "velocity"
                                                        : "sample";
}

// Who goes on from a trained model and asks for another target or noise has often only forgotten to say.
void compare_with_scheduler(const Recipe& recipe, const checkpoint::ModelFiles& files, Findings& findings) {
  const auto known = sampling::read_settings(files.scheduler, files.scheduler_place, "", sampling::Loading::plain);
  for (size_t i = 0; i < recipe.phases.size(); ++i) {
    const auto& phase = recipe.phases[i];
    if (phase.kind != PhaseKind::diffusion) continue;
    if (phase.loss.prediction != known.prediction)
      findings.warning(
          place_of(i) + ".loss.prediction",
          fmt::format("{}, but the model predicts {}", word(phase.loss.prediction), word(known.prediction)));
    if (phase.noise.betas != known.betas || phase.noise.zero_terminal_snr != known.zero_snr)
      findings.warning(place_of(i) + ".noise",
                       "not the noise that the model was trained with, after its scheduler's config");
  }
}

void check_crop(const Phase& phase, const std::string& at, int64_t scale, Findings& findings) {
  const int64_t crop = phase.autoencoder.crop;
  const std::string key = at + ".autoencoder.crop";
  if (crop % scale != 0)
    findings.problem(key, expected_got(fmt::format("a multiple of {}", scale), fmt::format("{}", crop)));
  if (crop > phase.fit.resolution && !phase.fit.buckets)
    findings.problem(key, fmt::format("{} pixels cannot be cut out of {}", crop, phase.fit.resolution));
}

}  // namespace

std::optional<pipeline::ModelSpecs> check_model(const Recipe& recipe, Findings& findings) {
  if (recipe.model.empty()) {
    findings.problem("model", "none is named; expected a model's folder, or one of its configs alone");
    return std::nullopt;
  }
  std::error_code unreadable;
  if (!fs::is_directory(recipe.model, unreadable)) {
    const bool file = fs::exists(recipe.model, unreadable);
    if (recipe.from_nothing)
      findings.problem("model", fmt::format("{}: {}; expected a folder with configs", recipe.model,
                                            file ? "a file" : "no such folder"));
    else if (!file)
      findings.warning(
          "model", fmt::format("{}: no such folder; taken for a model on the hub, and not looked into", recipe.model));
    return std::nullopt;
  }
  try {
    const auto files = open_configs(recipe.model);
    const auto specs = pipeline::read_specs(files);
    Order(recipe, fs::path(files.unet.config_place).parent_path(), findings).check();
    if (!recipe.from_nothing) compare_with_scheduler(recipe, files, findings);
    return specs;
  } catch (const Error& broken) {
    findings.problem("model", broken.what());
    return std::nullopt;
  }
}

void check_size(const Phase& phase, const std::string& at, const pipeline::ModelSpecs& specs, Findings& findings) {
  if (phase.kind == PhaseKind::attributes) return;
  const std::string key = at + ".fit.resolution";
  const int64_t scale = specs.vae.scale(), side = phase.fit.resolution;
  if (side % scale != 0)
    return findings.problem(
        key, fmt::format("expected a multiple of {}, which the VAE halves down to latents; got {}", scale, side));
  if (phase.kind == PhaseKind::autoencoder) return check_crop(phase, at, scale, findings);
  const auto fits = [&](int64_t pixels) { return pixels % scale == 0 && unet::side_fits(specs.unet, pixels / scale); };
  if (!fits(side)) {
    const auto [below, above] = unet::nearest_sides(specs.unet, side / scale);
    return findings.problem(
        key, fmt::format("the U-Net cannot take a side of {} pixels; the nearest that it takes are {}{}", side,
                         below > 0 ? fmt::format("{} and ", below * scale) : "", above * scale));
  }
  try {
    for (const auto& bucket : data::bucket_sizes(phase.fit))
      if (!fits(bucket.width) || !fits(bucket.height))
        return findings.problem(at + ".fit.buckets", fmt::format("the U-Net cannot take the bucket of {}x{} pixels",
                                                                 bucket.width, bucket.height));
  } catch (const InputError& wrong) {
    findings.problem(at + ".fit", wrong.what());
  }
}

}  // namespace fresco::training
