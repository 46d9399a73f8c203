#include "fresco/training/noise_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/sampling/noise_schedule.h"

namespace fresco::training {
namespace {

sampling::Settings sampler_settings(const NoiseSettings& settings) {
  sampling::Settings result;
  result.train_steps = static_cast<int>(settings.train_steps);
  result.betas = settings.betas;
  result.beta_start = settings.beta_start;
  result.beta_end = settings.beta_end;
  result.zero_snr = settings.zero_terminal_snr;
  return result;
}

double min_snr_weight(double snr, const LossSettings& settings) {
  if (settings.min_snr == MinSnrForm::none) return 1;
  const bool epsilon = settings.prediction == sampling::Prediction::epsilon;
  if (epsilon) return snr <= settings.gamma ? 1 : settings.gamma / snr;
  const double over = settings.min_snr == MinSnrForm::paper ? snr : snr + 1;
  return std::min(over, settings.gamma) / (snr + 1);
}

}  // namespace

NoiseTables make_noise_tables(const NoiseSettings& settings) {
  NoiseTables tables;
  const sampling::NoiseSchedule schedule(sampler_settings(settings));
  for (const float value : schedule.alpha_bars()) {
    const double alpha_bar = value;
    if (!(alpha_bar >= 0 && alpha_bar < 1))
      throw InputError("noise",
                       fmt::format("timestep {} keeps {} of the picture's variance; expected 0 or more and less than 1",
                                   tables.steps(), alpha_bar));
    tables.alpha_bar.push_back(alpha_bar);
    tables.signal.push_back(std::sqrt(alpha_bar));
    tables.noise.push_back(std::sqrt(1 - alpha_bar));
    tables.snr.push_back(alpha_bar / (1 - alpha_bar));
  }
  return tables;
}

std::vector<double> loss_weights(const NoiseTables& tables, const LossSettings& settings) {
  if (settings.prediction == sampling::Prediction::sample)
    throw InputError("loss.prediction", expected_got("velocity or epsilon", "sample"));
  std::vector<double> weights;
  for (const double snr : tables.snr) weights.push_back(std::max(min_snr_weight(snr, settings), settings.floor));
  return weights;
}

}  // namespace fresco::training
