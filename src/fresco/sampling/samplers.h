#pragma once
// One function a sampler, each in the file of its name.
#include <vector>

#include "fresco/sampling/noise_schedule.h"
#include "fresco/sampling/plan.h"
#include "fresco/sampling/settings.h"
#include "fresco/sampling/sigmas.h"

namespace fresco::sampling {

struct Run {
  int steps = 50;          // of the whole plan
  int skipped = 0;         // steps that image to image leaves out at the start
  bool from_noise = true;  // text to image
  double eta = 0;          // DDIM
  std::string squeeze;     // Squeezed DPM-Solver++
};

SamplingPlan ddim_plan(const Settings& settings, const Run& run);
SamplingPlan ddpm_plan(const Settings& settings, const Run& run);
SamplingPlan pndm_plan(const Settings& settings, const Run& run);
SamplingPlan euler_plan(const Settings& settings, const Run& run);
SamplingPlan euler_ancestral_plan(const Settings& settings, const Run& run);
SamplingPlan heun_plan(const Settings& settings, const Run& run);
SamplingPlan dpm_multistep_plan(const Settings& settings, const Run& run);
SamplingPlan squeezed_dpmpp_plan(const Settings& settings, const Run& run);
SamplingPlan unipc_plan(const Settings& settings, const Run& run);
SamplingPlan lcm_plan(const Settings& settings, const Run& run);

/// The rows of DPM-Solver++ over a grid of its own.
SamplingPlan dpm_multistep_rows(const Settings& settings, const SigmaGrid& grid, const Run& run);

/// The plan of `settings.sampler`. Errors: InputError when a coefficient is not finite, and the
/// samplers' own.
SamplingPlan plan_of(const Settings& settings, const Run& run);

/// x0 of what the model says, when x = alpha * x0 + sigma * noise.
Mix denoised(Prediction prediction, double alpha, double sigma);
/// The noise of what the model says.
Mix predicted_noise(Prediction prediction, double alpha, double sigma);
/// x0 of the Euler family, x = x0 + sigma * noise.
Mix euler_denoised(Prediction prediction, float sigma);

/// The index at which the run begins, `calls_a_step` U-Net calls a step. Errors: InputError when
/// none is left, and for a run from noise whose first timestep occurs again (the look-up by value
/// would start at the second).
size_t begin_index(const std::vector<double>& timesteps, const Run& run, size_t calls_a_step = 1);

/// Sets start and each row's `reached` from the levels at timesteps begin, begin + 1, ...; a clean
/// picture after the last.
void set_levels(SamplingPlan& plan, const std::vector<Level>& levels, size_t begin);
std::vector<Level> euler_levels(const std::vector<float>& sigmas);
std::vector<Level> solver_levels(const std::vector<float>& sigmas);
std::vector<Level> levels_at(const NoiseSchedule& schedule, const std::vector<double>& timesteps);

}  // namespace fresco::sampling
