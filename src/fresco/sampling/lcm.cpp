// LCM: Luo, Tan, Huang, Li, Zhao 2023, "Latent Consistency Models", algorithm 3 (multistep
// sampling) with the boundary scalings of Song et al. 2023, "Consistency Models", appendix C.
#include "fresco/sampling/samplers.h"

#include <fmt/format.h>

#include <cmath>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

// Evenly chosen among the timesteps that the model was distilled on.
std::vector<double> lcm_timesteps(const Settings& settings, int steps) {
  const int stride = settings.train_steps / settings.original_steps;
  const double gap = static_cast<double>(settings.original_steps) / steps;
  std::vector<double> timesteps;
  for (int i = 0; i < steps; ++i) {
    const int place = static_cast<int>(std::floor(i * gap));
    timesteps.push_back(stride * (settings.original_steps - place) - 1);
  }
  return timesteps;
}

// c_out * x0 + c_skip * x with sigma_data 0.5.
Mix consistent(float scaled_time) {
  const float square = scaled_time * scaled_time;
  return scaled_time / std::sqrt(square + 0.25f) * history(0) + 0.25f / (square + 0.25f) * sample();
}

}  // namespace

SamplingPlan lcm_plan(const Settings& settings, const Run& run) {
  if (run.steps > settings.original_steps)
    throw InputError("--steps", fmt::format("expected at most {} for lcm (the steps it was distilled on), got {}",
                                            settings.original_steps, run.steps));
  const NoiseSchedule schedule(settings);
  const auto timesteps = lcm_timesteps(settings, run.steps);
  const size_t begin = begin_index(timesteps, run);
  SamplingPlan plan;
  for (size_t i = begin; i < timesteps.size(); ++i) {
    const float a = schedule.alpha_bar(static_cast<int>(timesteps[i]));
    Row row{.timestep = timesteps[i],
            .entry = denoised(settings.prediction, std::sqrt(a), std::sqrt(1.0f - a)),
            .clip = settings.clip};
    row.update = consistent(static_cast<float>(timesteps[i]) * static_cast<float>(settings.timestep_scaling));
    if (i + 1 < timesteps.size()) {
      const auto next = schedule.level(static_cast<int>(timesteps[i + 1]));
      row.draws_noise = true;
      row.update = next.signal * row.update + noise(next.noise);
    }
    plan.rows.push_back(row);
  }
  set_levels(plan, levels_at(schedule, timesteps), begin);
  return plan;
}

}  // namespace fresco::sampling
