// Heun: Karras et al. 2022, algorithm 1: two calls a step, the last step (to a clean picture) one.
#include "fresco/sampling/samplers.h"

#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

// t0, t1, t1, t2, t2, ...; sigmas s0, s1, s1, ..., 0.
SigmaGrid call_by_call(const SigmaGrid& grid) {
  SigmaGrid calls;
  for (size_t i = 0; i < grid.timesteps.size(); ++i) {
    const size_t times = i == 0 ? 1 : 2;
    calls.timesteps.insert(calls.timesteps.end(), times, grid.timesteps[i]);
    calls.sigmas.insert(calls.sigmas.end(), times, grid.sigmas[i]);
  }
  calls.sigmas.push_back(grid.sigmas.back());
  return calls;
}

Row heun_row(const Settings& settings, const SigmaGrid& calls, size_t call, bool tries) {
  const float sigma = calls.sigmas[call];
  Row row{.timestep = calls.timesteps[call],
          .input_scale = input_scale(sigma),
          .entry = euler_denoised(settings.prediction, sigma),
          .clip = settings.clip};
  if (tries) {
    row.keep = true;
    row.update = sample() + static_cast<double>(calls.sigmas[call + 1] - sigma) / sigma * (sample() - history(0));
    return row;
  }
  // The mean of the slopes at the kept point and at the point tried from it.
  const float from = calls.sigmas[call - 1];
  const double step = static_cast<double>(sigma - from);
  row.update = kept() + step / 2 / from * (kept() - history(1)) + step / 2 / sigma * (sample() - history(0));
  return row;
}

}  // namespace

SamplingPlan heun_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings);
  const auto calls = call_by_call(euler_grid(settings, schedule, run.steps));
  const size_t begin = begin_index(calls.timesteps, run, 2);
  SamplingPlan plan{.initial_noise = euler_initial_noise(settings, calls.sigmas)};
  for (size_t call = begin; call < calls.timesteps.size(); ++call)
    plan.rows.push_back(heun_row(settings, calls, call, (call - begin) % 2 == 0));
  set_levels(plan, euler_levels(calls.sigmas), begin);
  return plan;
}

}  // namespace fresco::sampling
