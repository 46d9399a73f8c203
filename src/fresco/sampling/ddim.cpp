// DDIM: Song, Meng, Ermon 2021, "Denoising Diffusion Implicit Models", equations 12 and 16. The
// previous timestep is t - train_steps / steps in whole numbers, not the next of the list:
// published checkpoints rely on it.
#include "fresco/sampling/samplers.h"

#include <algorithm>
#include <cmath>

#include "fresco/sampling/mix.h"
#include "fresco/sampling/timesteps.h"

namespace fresco::sampling {
namespace {

Row ddim_row(const Settings& settings, const NoiseSchedule& schedule, int t, int previous, float eta) {
  const float a = schedule.alpha_bar(t), a_previous = schedule.alpha_bar_or_final(previous);
  const float variance = (1.0f - a_previous) / (1.0f - a) * (1.0f - a / a_previous);
  const float deviation = eta * std::sqrt(variance);
  // With eta 1 and zero terminal SNR rounding can leave -6e-8 under the root.
  const float direction = std::sqrt(std::max(0.0f, 1.0f - a_previous - deviation * deviation));
  const double alpha = std::sqrt(a), sigma = std::sqrt(1.0f - a);

  Row row{
      .timestep = static_cast<double>(t), .entry = denoised(settings.prediction, alpha, sigma), .clip = settings.clip};
  // The noise is what the model said, whether or not x0 was clipped.
  row.update = std::sqrt(a_previous) * history(0) + direction * predicted_noise(settings.prediction, alpha, sigma);
  if (eta > 0) {
    row.draws_noise = true;
    row.update = row.update + noise(deviation);
  }
  return row;
}

}  // namespace

SamplingPlan ddim_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings);
  const auto timesteps = spaced_timesteps(settings, run.steps, true);
  const size_t begin = static_cast<size_t>(run.skipped);
  const int stride = settings.train_steps / run.steps;
  SamplingPlan plan;
  for (size_t i = begin; i < timesteps.size(); ++i) {
    const int t = static_cast<int>(timesteps[i]);
    plan.rows.push_back(ddim_row(settings, schedule, t, t - stride, static_cast<float>(run.eta)));
  }
  set_levels(plan, levels_at(schedule, timesteps), begin);
  return plan;
}

}  // namespace fresco::sampling
