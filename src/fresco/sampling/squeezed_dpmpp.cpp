// Squeezed DPM-Solver++, DeciDiffusion 2.0's own sampler: the first i timesteps of a 16-step
// DPM-Solver++ (2M, heun) plan, then n - i evenly spaced ones down to 0. Public port:
// quic/cloud-ai-sdk, models/multimodal/text_to_image/DeciDiffusion-v2-0.
#include "fresco/sampling/samplers.h"

#include <fmt/format.h>

#include <limits>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

constexpr int kBaseSteps = 16;

// What the published pipeline builds it with, whatever the model's scheduler config says.
Settings published_settings() {
  Settings settings;
  settings.sampler = "squeezed-dpmpp";
  settings.betas = Betas::cosine;
  settings.prediction = Prediction::velocity;
  settings.spacing = Spacing::linspace;
  settings.solver_type = "heun";
  settings.lambda_min_clipped = -7.5;
  settings.last_sigma_zero = false;
  return settings;
}

struct Squeeze {
  int steps, first;
};

Squeeze parse_squeeze(const std::string& text) {
  if (text.empty() || text == "10,6") return {10, 6};
  if (text == "11,7") return {11, 7};
  throw InputError("--squeeze", expected_got("10,6 or 11,7", printable(text)));
}

SigmaGrid squeezed_grid(const SamplingPlan& base, const NoiseSchedule& schedule, const Squeeze& squeeze) {
  SigmaGrid grid;
  for (int i = 0; i < squeeze.first; ++i) grid.timesteps.push_back(base.rows.at(static_cast<size_t>(i)).timestep);
  const int rest = squeeze.steps - squeeze.first;
  const int stride = static_cast<int>(grid.timesteps.back()) / (rest + 1);
  for (int i = rest; i > 0; --i) grid.timesteps.push_back(stride * i);
  const auto sigmas = schedule.sigmas();
  for (const double t : grid.timesteps) grid.sigmas.push_back(sigmas.at(static_cast<size_t>(t)));
  grid.sigmas.push_back(sigmas.front());
  return grid;
}

}  // namespace

SamplingPlan squeezed_dpmpp_plan(const Settings&, const Run& run) {
  const auto settings = published_settings();
  const auto squeeze = parse_squeeze(run.squeeze);
  const NoiseSchedule schedule(settings);
  const auto base = dpm_multistep_plan(settings, Run{.steps = kBaseSteps});
  return dpm_multistep_rows(settings, squeezed_grid(base, schedule, squeeze), run);
}

}  // namespace fresco::sampling
