#include "fresco/sampling/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/sampling/mix.h"
#include "fresco/sampling/samplers.h"
#include "fresco/sampling/settings.h"

namespace fresco::sampling {
namespace {

struct Entry {
  SamplerInfo info;
  SamplingPlan (*plan)(const Settings&, const Run&);
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = {
      {{"ddim", "DDIMScheduler", "deterministic, what DeciDiffusion 1.0 is published with; --eta adds noise"},
       ddim_plan},
      {{"ddpm", "DDPMScheduler", "the original: fresh noise at every step, wants many steps"}, ddpm_plan},
      {{"pndm", "PNDMScheduler", "deterministic, what Stable Diffusion v1 is published with; one call more than steps"},
       pndm_plan},
      {{"euler", "EulerDiscreteScheduler", "deterministic and simple, good from 20 steps"}, euler_plan},
      {{"euler-a", "EulerAncestralDiscreteScheduler",
        "Euler with fresh noise at every step: pictures keep changing with more steps"},
       euler_ancestral_plan},
      {{"heun", "HeunDiscreteScheduler", "second order, two calls a step: precise and slow"}, heun_plan},
      {{"dpmpp-2m", "DPMSolverMultistepScheduler",
        "DPM-Solver++ of second order: good from 15 steps, the usual choice for speed"},
       dpm_multistep_plan},
      {{"dpmpp-2m-sde", "DPMSolverMultistepScheduler",
        "DPM-Solver++ with fresh noise at every step: more texture, 25 steps and more"},
       dpm_multistep_plan},
      {{"dpmpp-3m", "DPMSolverMultistepScheduler", "DPM-Solver++ of third order"}, dpm_multistep_plan},
      {{"unipc", "UniPCMultistepScheduler", "predictor and corrector: good from 10 steps"}, unipc_plan},
      {{"lcm", "LCMScheduler", "for latent consistency models: 2 to 8 steps, at most 50"}, lcm_plan},
      {{"squeezed-dpmpp", "SqueezedDPMSolverMultistepScheduler",
        "what DeciDiffusion 2.0 is published with: 10 or 11 steps, chosen by --squeeze"},
       squeezed_dpmpp_plan},
  };
  return kEntries;
}

bool is_squeezed(const Settings& settings) { return settings.sampler == "squeezed-dpmpp"; }

bool has_sigma_schedules(std::string_view sampler) {
  return sampler == "euler" || sampler == "heun" || sampler == "unipc" || sampler.starts_with("dpmpp");
}

void choose_schedule(Settings& settings, const std::string& schedule) {
  if (schedule.empty()) return;
  if (is_squeezed(settings)) throw InputError("--schedule", "squeezed-dpmpp has timesteps of its own");
  const std::vector<std::string> known = {"karras", "exponential", "beta"};
  const auto found = std::find(known.begin(), known.end(), schedule);
  if (found == known.end())
    throw InputError("--schedule", expected_got("one of " + joined(known), printable(schedule, 40)));
  if (!has_sigma_schedules(settings.sampler))
    throw InputError("--schedule",
                     fmt::format("{} has no {} schedule; euler, heun, dpmpp-2m, dpmpp-2m-sde, dpmpp-3m and unipc have",
                                 settings.sampler, schedule));
  settings.sigmas = schedule == "karras"        ? Sigmas::karras
                    : schedule == "exponential" ? Sigmas::exponential
                                                : Sigmas::beta;
}

int steps_of(const Settings& settings, const PlanRequest& request) {
  if (is_squeezed(settings)) {
    if (request.steps)
      throw InputError("--steps",
                       "squeezed-dpmpp has its number of steps from --squeeze (10,6 or 11,7); leave --steps out");
    return request.squeeze == "11,7" ? 11 : 10;
  }
  if (!request.squeeze.empty())
    throw InputError("--squeeze", fmt::format("only squeezed-dpmpp has it, the sampler is {}", settings.sampler));
  const int steps = request.steps.value_or(request.default_steps);
  if (steps < 1 || steps > settings.train_steps)
    throw InputError("--steps", expected_got(fmt::format("1 to {}", settings.train_steps), std::to_string(steps)));
  return steps;
}

// How many steps image to image leaves out: whole steps of steps * strength run, cut as diffusers
// cuts them.
int skipped_steps(int steps, std::optional<double> strength) {
  if (!strength) return 0;
  if (!(*strength > 0 && *strength <= 1))
    throw InputError("--strength", expected_got("a number above 0 and up to 1", fmt::format("{}", *strength)));
  const int running = std::min(static_cast<int>(steps * *strength), steps);
  if (running < 1)
    throw InputError("--strength", fmt::format("{} of {} steps leaves none to run; use {} or more, or more steps",
                                               *strength, steps, std::ceil(1000.0 / steps) / 1000));
  return steps - running;
}

double checked_eta(const Settings& settings, double eta) {
  if (!(eta >= 0 && eta <= 1)) throw InputError("--eta", expected_got("a number from 0 to 1", fmt::format("{}", eta)));
  if (eta > 0 && settings.sampler != "ddim")
    throw InputError("--eta", fmt::format("only ddim has it, the sampler is {}", settings.sampler));
  return eta;
}

bool is_finite(const Row& row) {
  return sampling::is_finite(row.entry) && sampling::is_finite(row.update) &&
         (!row.correction || sampling::is_finite(*row.correction));
}

void check_finite(const SamplingPlan& plan, const Settings& settings) {
  for (size_t i = 0; i < plan.rows.size(); ++i)
    if (!is_finite(plan.rows[i]) || !std::isfinite(plan.initial_noise))
      throw InputError("--sampler",
                       fmt::format("{} cannot run with the settings of {} and {} steps: call {} has no finite solution",
                                   plan.sampler, settings.place, plan.steps, i + 1));
}

std::string description_of(const Settings& settings, const Run& run) {
  if (is_squeezed(settings)) return fmt::format("squeezed-dpmpp, {} steps", run.steps);
  constexpr std::string_view kSpacings[] = {"linspace", "leading", "trailing"};
  constexpr std::string_view kSigmas[] = {"", ", karras", ", exponential", ", beta"};
  return fmt::format("{}, {} steps, {}{}", settings.sampler, run.steps,
                     kSpacings[static_cast<size_t>(settings.spacing)], kSigmas[static_cast<size_t>(settings.sigmas)]);
}

// Its constants are those of a model that predicts velocities.
void check_squeezed_fits(const Json& config, std::string_view place) {
  if (config.empty()) return;
  const auto prediction = json_value<std::string>(config, "prediction_type", "epsilon", place);
  if (prediction != "v_prediction")
    throw InputError(
        "--sampler",
        fmt::format(
            "squeezed-dpmpp is DeciDiffusion 2.0's own, for models with prediction_type v_prediction; {} has {}", place,
            printable(prediction, 40)));
}

}  // namespace

const std::vector<SamplerInfo>& samplers() {
  static const std::vector<SamplerInfo> kInfos = [] {
    std::vector<SamplerInfo> infos;
    for (const auto& entry : entries()) infos.push_back(entry.info);
    return infos;
  }();
  return kInfos;
}

SamplingPlan plan_of(const Settings& settings, const Run& run) {
  const auto named = [&](const Entry& entry) { return entry.info.name == settings.sampler; };
  auto plan = std::find_if(entries().begin(), entries().end(), named)->plan(settings, run);
  plan.sampler = settings.sampler;
  plan.description = description_of(settings, run);
  plan.steps = run.steps;
  check_finite(plan, settings);
  return plan;
}

SamplingPlan make_plan(const Json& config, std::string_view place, const PlanRequest& request) {
  const auto loading = request.as_stated ? Loading::plain : request.inpainting ? Loading::inpainting : Loading::drawing;
  auto settings = read_settings(config, place, request.sampler, loading);
  if (is_squeezed(settings)) check_squeezed_fits(config, place);
  choose_schedule(settings, request.schedule);
  Run run{.steps = steps_of(settings, request),
          .from_noise = !request.strength && !request.inpainting,
          .eta = checked_eta(settings, request.eta),
          .squeeze = request.squeeze};
  run.skipped = skipped_steps(run.steps, request.strength);
  return plan_of(settings, run);
}

}  // namespace fresco::sampling
