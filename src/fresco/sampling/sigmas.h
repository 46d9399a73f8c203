#pragma once
// Noise levels of the samplers that think in sigma = sqrt((1 - alpha_bar) / alpha_bar) (Karras et
// al. 2022).
#include <vector>

#include "fresco/sampling/noise_schedule.h"
#include "fresco/sampling/settings.h"

namespace fresco::sampling {

/// One entry a step, and `sigmas` one more: the level after the last.
struct SigmaGrid {
  std::vector<double> timesteps;
  std::vector<float> sigmas;
};

/// Euler, Euler ancestral and Heun: fractional timesteps.
SigmaGrid euler_grid(const Settings& settings, const NoiseSchedule& schedule, int steps);

/// DPM-Solver++ and UniPC: whole timesteps. `end` as in solver_timesteps.
enum class Solver { dpm, unipc };
SigmaGrid solver_grid(const Settings& settings, const NoiseSchedule& schedule, int steps, int end, Solver solver);

/// Input scale of the Euler family: 1 / sqrt(sigma^2 + 1).
double input_scale(float sigma);
/// Standard deviation of the first noise for the Euler family.
double euler_initial_noise(const Settings& settings, const std::vector<float>& sigmas);

/// x = alpha * x0 + sigma * noise with alpha^2 + sigma^2 = 1, and log(alpha / sigma), of a ratio
/// sigma / alpha.
struct Rates {
  explicit Rates(float ratio);
  float alpha, sigma, lambda;
};

/// numpy.interp of a table at integers 0, 1, ...
double interpolate(const std::vector<float>& table, double at);

}  // namespace fresco::sampling
