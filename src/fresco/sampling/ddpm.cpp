// DDPM: Ho, Jain, Abbeel 2020, "Denoising Diffusion Probabilistic Models", equations 6 and 7,
// between the timesteps of a list.
#include "fresco/sampling/samplers.h"

#include <algorithm>
#include <cmath>

#include "fresco/sampling/mix.h"
#include "fresco/sampling/timesteps.h"

namespace fresco::sampling {
namespace {

// previous < 0: the clean picture.
Row ddpm_row(const Settings& settings, const NoiseSchedule& schedule, int t, int previous) {
  const float a = schedule.alpha_bar(t), a_previous = previous < 0 ? 1.0f : schedule.alpha_bar(previous);
  const float alpha = a / a_previous, beta = 1.0f - alpha;
  Row row{.timestep = static_cast<double>(t),
          .entry = denoised(settings.prediction, std::sqrt(a), std::sqrt(1.0f - a)),
          .clip = settings.clip};
  row.update = std::sqrt(a_previous) * beta / (1.0f - a) * history(0) +
               std::sqrt(alpha) * (1.0f - a_previous) / (1.0f - a) * sample();
  if (t > 0) {
    const float small = std::max((1.0f - a_previous) / (1.0f - a) * beta, 1e-20f);
    row.draws_noise = true;
    row.update = row.update + noise(std::sqrt(settings.large_variance ? beta : small));
  }
  return row;
}

}  // namespace

SamplingPlan ddpm_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings);
  const auto timesteps = spaced_timesteps(settings, run.steps, true);
  const size_t begin = static_cast<size_t>(run.skipped);
  SamplingPlan plan;
  for (size_t i = begin; i < timesteps.size(); ++i) {
    const int next = i + 1 < timesteps.size() ? static_cast<int>(timesteps[i + 1]) : -1;
    plan.rows.push_back(ddpm_row(settings, schedule, static_cast<int>(timesteps[i]), next));
  }
  set_levels(plan, levels_at(schedule, timesteps), begin);
  return plan;
}

}  // namespace fresco::sampling
