#pragma once
// The parts of check_recipe().
#include <optional>

#include "fresco/pipeline/model_specs.h"
#include "fresco/training/check_recipe.h"

namespace fresco::training {

class Findings {
 public:
  explicit Findings(RecipeFindings& into) : into_(into) {}
  /// what: after the key, "phases[0].batch".
  void problem(const std::string& key, const std::string& what) { into_.problems.push_back(key + ": " + what); }
  void warning(const std::string& key, const std::string& what) { into_.warnings.push_back(key + ": " + what); }

 private:
  RecipeFindings& into_;
};

/// "phases[2]"
std::string place_of(size_t phase);

/// Names, order of phases, which networks are trained before they are needed; nothing where the model's
/// configs cannot be read.
std::optional<pipeline::ModelSpecs> check_model(const Recipe& recipe, Findings& findings);
void check_steps(const Phase& phase, const std::string& at, int64_t processes, Findings& findings);
void check_data(const Recipe& recipe, const Phase& phase, const std::string& at, Findings& findings);
void check_size(const Phase& phase, const std::string& at, const pipeline::ModelSpecs& specs, Findings& findings);
void check_diffusion(const Phase& phase, const std::string& at, Findings& findings);
void check_watch(const Recipe& recipe, Findings& findings);

}  // namespace fresco::training
