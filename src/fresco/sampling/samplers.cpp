#include "fresco/sampling/samplers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"

namespace fresco::sampling {

Mix denoised(Prediction prediction, double alpha, double sigma) {
  switch (prediction) {
    case Prediction::epsilon:
      return 1 / alpha * sample() - sigma / alpha * output();
    case Prediction::velocity:
      return alpha * sample() - sigma * output();
    case Prediction::sample:
      break;
  }
  return output();
}

Mix predicted_noise(Prediction prediction, double alpha, double sigma) {
  switch (prediction) {
    case Prediction::epsilon:
      return output();
    case Prediction::velocity:
      return alpha * output() + sigma * sample();
    case Prediction::sample:
      break;
  }
  return 1 / sigma * sample() - alpha / sigma * output();
}

Mix euler_denoised(Prediction prediction, float sigma) {
  const double variance = static_cast<double>(sigma * sigma + 1.0f);
  switch (prediction) {
    case Prediction::epsilon:
      return sample() - sigma * output();
    case Prediction::velocity:
      return 1 / variance * sample() - sigma / std::sqrt(variance) * output();
    case Prediction::sample:
      break;
  }
  return output();
}

size_t begin_index(const std::vector<double>& timesteps, const Run& run, size_t calls_a_step) {
  const auto begin = static_cast<size_t>(run.skipped) * calls_a_step;
  if (begin >= timesteps.size())
    throw InputError("--strength", fmt::format("leaves no step to run: {} of {} are skipped", run.skipped, run.steps));
  if (run.from_noise && std::count(timesteps.begin(), timesteps.end(), timesteps.front()) > 1)
    throw InputError("--schedule",
                     fmt::format("with {} steps and this model's noise schedule, timestep {} occurs more than once; "
                                 "choose another schedule or another number of steps",
                                 run.steps, timesteps.front()));
  return begin;
}

void set_levels(SamplingPlan& plan, const std::vector<Level>& levels, size_t begin) {
  plan.start = levels.at(begin);
  for (size_t i = 0; i < plan.rows.size(); ++i) {
    const size_t next = begin + i + 1;
    plan.rows[i].reached = i + 1 < plan.rows.size() ? levels.at(next) : Level{1, 0};
  }
}

std::vector<Level> euler_levels(const std::vector<float>& sigmas) {
  std::vector<Level> levels;
  levels.reserve(sigmas.size());
  for (const float sigma : sigmas) levels.push_back({1, sigma});
  return levels;
}

std::vector<Level> solver_levels(const std::vector<float>& sigmas) {
  std::vector<Level> levels;
  for (const float ratio : sigmas) {
    const Rates rates(ratio);
    levels.push_back({rates.alpha, rates.sigma});
  }
  return levels;
}

std::vector<Level> levels_at(const NoiseSchedule& schedule, const std::vector<double>& timesteps) {
  std::vector<Level> levels;
  levels.reserve(timesteps.size());
  for (const double t : timesteps) levels.push_back(schedule.level(static_cast<int>(t)));
  return levels;
}

}  // namespace fresco::sampling
