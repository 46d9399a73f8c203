// DPM-Solver++: Lu, Zhou, Bao, Chen, Li, Zhu 2022, "DPM-Solver++: Fast Solver for Guided Sampling
// of Diffusion Probabilistic Models", algorithm 2 (2M), its stochastic form (SDE-DPM-Solver++(2M),
// section 5 and appendix) and the third-order multistep of the same family.
#include "fresco/sampling/samplers.h"

#include <algorithm>
#include <cmath>

#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

constexpr size_t kFewSteps = 15;  // below this, lower_order_final ends with lower orders

// Coefficients of one step of length h in lambda = log(alpha / sigma): of the sample, of x0, of its
// first difference at orders two (midpoint) and three (which heun's order two shares), of its
// second difference, and of fresh noise.
struct Step {
  Step(const Rates& from, const Rates& to, bool sde) : h(to.lambda - from.lambda) {
    const float gone = std::exp(-h), gone_twice = std::exp(-2.0f * h);
    if (sde) {
      sample = to.sigma / from.sigma * gone;
      denoised = to.alpha * (1.0f - gone_twice);
      slope = to.alpha * ((1.0f - gone_twice) / (-2.0f * h) + 1.0f);
      bend = to.alpha * ((1.0f - gone_twice - 2.0f * h) / (4.0f * h * h) - 0.5f);
      noise = to.sigma * std::sqrt(1.0f - gone_twice);
    } else {
      sample = to.sigma / from.sigma;
      denoised = -(to.alpha * (gone - 1.0f));
      slope = to.alpha * ((gone - 1.0f) / h + 1.0f);
      bend = -(to.alpha * ((gone - 1.0f + h) / (h * h) - 0.5f));
    }
  }
  float h;
  float sample, denoised, slope, bend, noise = 0;
};

// m0, m1, m2: x0 of this call and the two before it. h0, h1: lengths of the two steps before this
// one.
Mix update_of(const Step& step, int order, bool midpoint, float h0, float h1) {
  Mix update = step.sample * sample() + step.denoised * history(0);
  if (order == 1) return update;
  const float r0 = h0 / step.h, r1 = h1 / step.h;
  const Mix newer = 1.0f / r0 * (history(0) - history(1));
  if (order == 2) return update + (midpoint ? 0.5f * step.denoised : step.slope) * newer;
  const Mix older = 1.0f / r1 * (history(1) - history(2));
  return update + step.slope * (newer + r0 / (r0 + r1) * (newer - older)) + step.bend / (r0 + r1) * (newer - older);
}

int order_at(const Settings& settings, size_t index, size_t count, size_t taken) {
  const bool lower = settings.lower_order_final && count < kFewSteps;
  int order = static_cast<int>(std::min(static_cast<size_t>(settings.solver_order), taken + 1));
  if (index + 2 == count && lower) order = std::min(order, 2);
  if (index + 1 == count && (lower || settings.euler_at_final || settings.last_sigma_zero)) order = 1;
  return order;
}

}  // namespace

SamplingPlan dpm_multistep_rows(const Settings& settings, const SigmaGrid& grid, const Run& run) {
  const size_t begin = begin_index(grid.timesteps, run), count = grid.timesteps.size();
  const std::vector<Rates> rates(grid.sigmas.begin(), grid.sigmas.end());
  const auto length = [&](size_t i) { return rates[i + 1].lambda - rates[i].lambda; };
  SamplingPlan plan;
  for (size_t i = begin; i < count; ++i) {
    const int order = order_at(settings, i, count, i - begin);
    const Step step(rates[i], rates[i + 1], settings.sde);
    Row row{.timestep = grid.timesteps[i],
            .entry = denoised(settings.prediction, rates[i].alpha, rates[i].sigma),
            .draws_noise = settings.sde,
            .update = update_of(step, order, settings.solver_type == "midpoint", order > 1 ? length(i - 1) : 0,
                                order > 2 ? length(i - 2) : 0)};
    if (settings.sde) row.update = row.update + noise(step.noise);
    plan.rows.push_back(row);
  }
  set_levels(plan, solver_levels(grid.sigmas), begin);
  return plan;
}

SamplingPlan dpm_multistep_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings, true);
  // Timesteps whose lambda lies below lambda_min_clipped are left out.
  int end = schedule.train_steps();
  for (const float a : schedule.alpha_bars())
    if (std::log(std::sqrt(a)) - std::log(std::sqrt(1.0f - a)) < settings.lambda_min_clipped) --end;
  return dpm_multistep_rows(settings, solver_grid(settings, schedule, run.steps, end, Solver::dpm), run);
}

}  // namespace fresco::sampling
