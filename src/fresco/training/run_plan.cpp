#include "fresco/training/run_plan.h"

#include <algorithm>
#include <array>

#include "fresco/pipeline/loaded_model.h"

namespace fresco::training {

at::TensorOptions weight_options(const Recipe& recipe, Device device) {
  const auto exact = [](const Phase& phase) { return phase.precision == TrainPrecision::f64; };
  const auto type = std::ranges::any_of(recipe.phases, exact) ? at::kDouble : at::kFloat;
  return at::dtype(type).device(pipeline::preparation_for({.device = device}).device);
}

bool decides_weights(const std::string& difference) {
  if (!difference.starts_with("watch.")) return true;
  return std::ranges::any_of(std::array{"validation_samples", "spike", "most_rollbacks"},
                             [&](const char* key) { return difference.starts_with(std::string("watch.") + key); });
}

std::set<Network> fresh_networks(const Recipe& recipe) {
  std::set<Network> fresh;
  if (!recipe.from_nothing) return fresh;
  for (const Phase& phase : recipe.phases) {
    const bool diffusion = phase.kind == PhaseKind::diffusion;
    if (phase.kind == PhaseKind::autoencoder) fresh.insert(Network::vae);
    if (phase.kind == PhaseKind::attributes || (diffusion && phase.train != Trained::unet))
      fresh.insert(Network::text_encoder);
    if (diffusion && phase.train != Trained::text_encoder) fresh.insert(Network::unet);
  }
  return fresh;
}

RunFacts facts_of(const Recipe& recipe, const std::string& text) {
  RunFacts facts{.name = recipe.name, .recipe = text, .seed = recipe.seed};
  for (const Phase& phase : recipe.phases) facts.phases.push_back(facts_of(phase));
  return facts;
}

PhaseFacts facts_of(const Phase& phase) {
  return {.name = phase.name,
          .kind = phase.kind,
          .steps = phase.steps,
          .batch = phase.batch,
          .resolution = phase.fit.resolution};
}

}  // namespace fresco::training
