#pragma once
// From a scheduler's config and a request to a plan.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/sampling/plan.h"

namespace fresco::sampling {

struct SamplerInfo {
  std::string name;         // "dpmpp-2m"
  std::string class_name;   // diffusers' class: "DPMSolverMultistepScheduler"
  std::string description;  // one line for `fresco samplers`
};

/// All samplers in the order in which `fresco samplers` lists them.
const std::vector<SamplerInfo>& samplers();

/// What is asked of a plan. Names in messages are the command line's.
struct PlanRequest {
  std::string sampler;       // empty: the config's own class
  std::string schedule;      // empty, "karras", "exponential", "beta"
  std::optional<int> steps;  // empty: default_steps
  int default_steps = 50;
  std::string squeeze;  // "10,6" or "11,7", for squeezed-dpmpp only
  double eta = 0;       // DDIM only
  /// Image to image and inpainting: the share of the steps that runs. Empty: all, from noise.
  std::optional<double> strength;
  /// Inpainting: its pipeline changes other keys of a loaded config than the two others do.
  bool inpainting = false;
  /// The config is taken as it stands: without what diffusers' pipelines change in the one of the scheduler that they are built with.
  bool as_stated = false;
};

/// `config` is the folder's scheduler_config.json: keys it states and the sampler knows are taken,
/// the rest are the sampler class's own defaults (diffusers' from_config); with the folder's own
/// class its file is simply loaded. Errors: InputError for requests that make no sense (steps 0 or
/// 1001, unknown sampler, a schedule the sampler does not have, no step left at this strength,
/// ...), FormatError naming `place` for a class nobody knows (listing those known) or broken
/// values.
SamplingPlan make_plan(const Json& config, std::string_view place, const PlanRequest& request);

}  // namespace fresco::sampling
