#include "fresco/training/check_recipe.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/training/recipe_checks.h"

namespace fresco::training {
namespace {

bool fit_for_files(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '.' && std::all_of(name.begin(), name.end(), fits);
}

void check_names(const Recipe& recipe, Findings& findings) {
  for (size_t i = 0; i < recipe.phases.size(); ++i) {
    const auto& name = recipe.phases[i].name;
    if (!fit_for_files(name))
      findings.problem(place_of(i) + ".name", expected_got("up to 64 letters, digits, -, _ and . (not in front)",
                                                           fmt::format("\"{}\"", printable(name))));
    for (size_t j = 0; j < i; ++j)
      if (recipe.phases[j].name == name)
        findings.problem(place_of(i) + ".name", fmt::format("{} is called {} too", place_of(j), printable(name)));
  }
}

}  // namespace

std::string place_of(size_t phase) { return fmt::format("phases[{}]", phase); }

void check_watch(const Recipe& recipe, Findings& findings) {
  const auto& watch = recipe.watch;
  if (watch.spike > 0 && watch.spike <= 1)
    findings.problem(
        "watch.spike",
        fmt::format("expected 0 or above 1, got {}: half of all losses lie above their mean", watch.spike));
  if (watch.validate_every > 0 && watch.validation_samples == 0)
    findings.warning("watch.validation_samples", "0: nothing is kept to validate with");
  if (watch.checkpoint_every == 0)
    findings.warning("watch.checkpoint_every", "0: a run that is killed begins its phase again");
  const bool draws = std::any_of(recipe.phases.begin(), recipe.phases.end(),
                                 [](const Phase& phase) { return phase.kind == PhaseKind::diffusion; });
  if (draws && watch.sample_every > 0 && watch.prompts.empty())
    findings.warning("watch.prompts", "none: nothing is drawn while the model is trained");
}

RecipeFindings check_recipe(const Recipe& recipe, int64_t processes) {
  RecipeFindings found;
  Findings findings(found);
  if (recipe.phases.empty()) findings.problem("phases", "there is none; expected at least one");
  check_names(recipe, findings);
  const auto specs = check_model(recipe, findings);
  for (size_t i = 0; i < recipe.phases.size(); ++i) {
    const auto& phase = recipe.phases[i];
    const auto at = place_of(i);
    check_steps(phase, at, processes, findings);
    check_data(recipe, phase, at, findings);
    if (specs) check_size(phase, at, *specs, findings);
    if (phase.kind == PhaseKind::diffusion) check_diffusion(phase, at, findings);
  }
  check_watch(recipe, findings);
  return found;
}

void require_sound(const Recipe& recipe, const RecipeFindings& findings) {
  const auto& problems = findings.problems;
  if (problems.empty()) return;
  const std::string more = problems.size() == 1 ? "" : fmt::format(" (and {} more)", problems.size() - 1);
  throw InputError(recipe.place, problems.front() + more);
}

}  // namespace fresco::training
