// Euler: Karras, Aittala, Aila, Laine 2022, "Elucidating the Design Space of Diffusion-Based
// Generative Models", algorithm 2 without churn.
#include "fresco/sampling/samplers.h"

#include "fresco/sampling/mix.h"

namespace fresco::sampling {

SamplingPlan euler_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings, true);
  const auto grid = euler_grid(settings, schedule, run.steps);
  const size_t begin = begin_index(grid.timesteps, run);
  SamplingPlan plan{.initial_noise = euler_initial_noise(settings, grid.sigmas)};
  for (size_t i = begin; i < grid.timesteps.size(); ++i) {
    const float sigma = grid.sigmas[i];
    const double change = grid.sigmas[i + 1] - sigma;  // float32, as the sigmas
    plan.rows.push_back({.timestep = grid.timesteps[i],
                         .input_scale = input_scale(sigma),
                         .entry = euler_denoised(settings.prediction, sigma),
                         .update = sample() + change / sigma * (sample() - history(0)),
                         .slope = Slope{sigma, change}});
  }
  set_levels(plan, euler_levels(grid.sigmas), begin);
  return plan;
}

}  // namespace fresco::sampling
