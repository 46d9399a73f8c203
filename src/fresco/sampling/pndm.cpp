// PNDM: Liu, Ren, Lin, Zhao 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds": the
// transfer is equation 11, the linear multistep combination equation 12, the Runge-Kutta start
// equation 13. With skip_prk_steps (as Stable Diffusion is published) the first step is taken twice
// instead, which makes steps + 1 calls.
#include "fresco/sampling/samplers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"
#include "fresco/sampling/timesteps.h"

namespace fresco::sampling {
namespace {

constexpr int kRungeKuttaCalls = 12;  // three steps of four calls

class Builder {
 public:
  Builder(const Settings& settings, const NoiseSchedule& schedule, int stride)
      : settings_(settings), schedule_(schedule), stride_(stride) {}

  /// Rows call by call, counted from the run's own start wherever that lies.
  Row multistep_row(int call, int t) {
    Row row{.timestep = static_cast<double>(t), .entry = output()};
    if (call == 1) return second_call(row, t);
    held_ = std::min(held_ + 1, 4);
    row.keep = call == 0;
    row.update = transfer(t, t - stride_, sample(), combination(held_));
    return row;
  }

  /// `anchors`: the list of timesteps; each group of four calls steps from its first.
  Row runge_kutta_row(int call, int t, const std::vector<double>& anchors) {
    const int phase = call % 4;
    const int anchor = static_cast<int>(anchors[static_cast<size_t>(call - phase)]);
    Row row{.timestep = static_cast<double>(t), .entry = output()};
    row.keep = phase == 0;
    Mix slope = history(0);
    if (phase == 3) {
      slope = history(3, 1.0 / 6) + history(2, 1.0 / 3) + history(1, 1.0 / 3) + history(0, 1.0 / 6);
      row.drops = 3;  // the first call's output alone stays for the multistep part
      held_ += 1;
    }
    row.update = transfer(anchor, t - (phase % 2 == 0 ? stride_ / 2 : 0), kept(), slope);
    return row;
  }

 private:
  // The second call stands one stride below the first, and redoes that stride with the mean of both
  // outputs.
  Row second_call(Row row, int t) const {
    row.update = transfer(t + stride_, t, kept(), history(0, 0.5) + history(1, 0.5));
    row.drops = 1;
    return row;
  }

  static Mix combination(int held) {
    switch (held) {
      case 1:
        return history(0);
      case 2:
        return history(0, 3.0 / 2) - history(1, 1.0 / 2);
      case 3:
        return history(0, 23.0 / 12) - history(1, 16.0 / 12) + history(2, 5.0 / 12);
      default:
        break;
    }
    return history(0, 55.0 / 24) - history(1, 59.0 / 24) + history(2, 37.0 / 24) - history(3, 9.0 / 24);
  }

  // From x at t to the previous timestep. Velocities become noise here, after the multistep
  // combination.
  Mix transfer(int t, int previous, const Mix& x, Mix slope) const {
    const float a = schedule_.alpha_bar(t), a_previous = schedule_.alpha_bar_or_final(previous);
    const float b = 1.0f - a, b_previous = 1.0f - a_previous;
    if (settings_.prediction == Prediction::velocity) slope = std::sqrt(a) * slope + std::sqrt(b) * x;
    const float denominator = a * std::sqrt(b_previous) + std::sqrt(a * b * a_previous);
    return std::sqrt(a_previous / a) * x - (a_previous - a) / denominator * slope;
  }

  const Settings& settings_;
  const NoiseSchedule& schedule_;
  int stride_;
  int held_ = 0;
};

// Descending; the second-largest twice.
std::vector<double> multistep_timesteps(std::vector<double> timesteps) {
  if (timesteps.size() > 1) timesteps.insert(timesteps.begin() + 1, timesteps[1]);
  return timesteps;
}

// Each of three steps calls at its start, twice half a stride above its end, and at its end.
std::vector<double> runge_kutta_timesteps(const std::vector<double>& timesteps, int stride) {
  std::vector<double> calls;
  const int half = stride / 2;
  for (size_t i = 0; i < 3; ++i) {
    const double middle = timesteps[i + 1] + half;
    calls.insert(calls.end(), {timesteps[i], middle, middle, timesteps[i + 1]});
  }
  calls.insert(calls.end(), timesteps.begin() + 3, timesteps.end());
  return calls;
}

}  // namespace

SamplingPlan pndm_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings);
  const int stride = settings.train_steps / run.steps;
  const bool runge_kutta = !settings.skip_prk_steps;
  auto timesteps = spaced_timesteps(settings, run.steps, true);
  if (runge_kutta && timesteps.size() < 4)
    throw InputError(
        "--steps",
        fmt::format("pndm without \"skip_prk_steps\" in the model's scheduler config needs 4 or more, got {}",
                    run.steps));
  timesteps = runge_kutta ? runge_kutta_timesteps(timesteps, stride) : multistep_timesteps(timesteps);
  const size_t begin = static_cast<size_t>(run.skipped);

  SamplingPlan plan;
  Builder builder(settings, schedule, stride);
  for (size_t i = begin; i < timesteps.size(); ++i) {
    const int call = static_cast<int>(i - begin), t = static_cast<int>(timesteps[i]);
    plan.rows.push_back(runge_kutta && call < kRungeKuttaCalls ? builder.runge_kutta_row(call, t, timesteps)
                                                               : builder.multistep_row(call, t));
  }
  set_levels(plan, levels_at(schedule, timesteps), begin);
  return plan;
}

}  // namespace fresco::sampling
