// Euler with ancestral noise: Karras et al. 2022, algorithm 1's step, down to a lower level than
// the next, then fresh noise up to it, the share of a DDPM step (Song, Meng, Ermon 2021, equation
// 16 with eta 1, in sigmas).
#include "fresco/sampling/samplers.h"

#include <algorithm>
#include <cmath>

#include "fresco/sampling/mix.h"

namespace fresco::sampling {

SamplingPlan euler_ancestral_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings, true);
  const auto grid = euler_grid(settings, schedule, run.steps);
  const size_t begin = begin_index(grid.timesteps, run);
  SamplingPlan plan{.initial_noise = euler_initial_noise(settings, grid.sigmas)};
  for (size_t i = begin; i < grid.timesteps.size(); ++i) {
    const float from = grid.sigmas[i], to = grid.sigmas[i + 1];
    const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
    // Far below `from`, rounding can leave a little less than nothing under the root.
    const float down = std::sqrt(std::max(0.0f, to * to - up * up));
    const double change = down - from;  // float32, as the sigmas
    plan.rows.push_back({.timestep = grid.timesteps[i],
                         .input_scale = input_scale(from),
                         .entry = euler_denoised(settings.prediction, from),
                         .draws_noise = true,
                         .update = sample() + change / from * (sample() - history(0)) + noise(up),
                         .slope = Slope{from, change}});
  }
  set_levels(plan, euler_levels(grid.sigmas), begin);
  return plan;
}

}  // namespace fresco::sampling
