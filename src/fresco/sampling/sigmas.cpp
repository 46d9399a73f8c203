#include "fresco/sampling/sigmas.h"

#include <algorithm>
#include <cmath>

#include "fresco/sampling/beta_quantile.h"
#include "fresco/sampling/timesteps.h"

namespace fresco::sampling {
namespace {

// Karras et al. 2022, equation 5 with rho 7; straight in log sigma; quantiles of a Beta(0.6, 0.6)
// distribution (Lee et al. 2024, "Beta Sampling is All You Need").
std::vector<double> between(Sigmas kind, double largest, double smallest, int count) {
  auto values = linspace(0, 1, count);
  if (kind == Sigmas::exponential) values = linspace(std::log(largest), std::log(smallest), count);
  constexpr double kRho = 7;
  const double top = std::pow(largest, 1 / kRho), bottom = std::pow(smallest, 1 / kRho);
  for (double& value : values) {
    if (kind == Sigmas::karras) value = std::pow(top + value * (bottom - top), kRho);
    if (kind == Sigmas::exponential) value = std::exp(value);
    if (kind == Sigmas::beta) value = smallest + beta_quantile(1 - value, 0.6) * (largest - smallest);
  }
  return values;
}

// The fractional timestep whose log sigma is this one's, by straight lines between the table's.
double timestep_of(double sigma, const std::vector<double>& log_table) {
  const double wanted = std::log(std::max(sigma, 1e-10));
  size_t low = 0;
  for (size_t i = 0; i < log_table.size(); ++i)
    if (wanted >= log_table[i]) low = i;
  low = std::min(low, log_table.size() - 2);
  const double weight = std::clamp((log_table[low] - wanted) / (log_table[low] - log_table[low + 1]), 0.0, 1.0);
  return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

std::vector<double> timesteps_of(const std::vector<double>& sigmas, const std::vector<float>& table) {
  std::vector<double> log_table;
  log_table.reserve(table.size());
  for (const float sigma : table) log_table.push_back(std::log(sigma));  // float32 logarithms, as numpy takes them
  std::vector<double> timesteps;
  timesteps.reserve(sigmas.size());
  for (const double sigma : sigmas) timesteps.push_back(timestep_of(sigma, log_table));
  return timesteps;
}

std::vector<double> interpolated(const std::vector<float>& table, const std::vector<double>& timesteps) {
  std::vector<double> sigmas;
  sigmas.reserve(timesteps.size());
  for (const double t : timesteps) sigmas.push_back(interpolate(table, t));
  return sigmas;
}

SigmaGrid finished(std::vector<double> timesteps, const std::vector<double>& sigmas, float last) {
  SigmaGrid grid{std::move(timesteps), {sigmas.begin(), sigmas.end()}};
  grid.sigmas.push_back(last);
  return grid;
}

// DPM-Solver++ stores rounded Karras timesteps, cut ones with cosine betas; what is not Karras is
// always cut.
void make_whole(std::vector<double>& timesteps, const Settings& settings, Solver solver) {
  const bool round = settings.sigmas == Sigmas::karras && (solver == Solver::unipc || settings.betas != Betas::cosine);
  for (double& t : timesteps) t = round ? std::nearbyint(t) : std::trunc(t);
}

}  // namespace

double interpolate(const std::vector<float>& table, double at) {
  if (at <= 0) return table.front();
  const auto last = static_cast<double>(table.size() - 1);
  if (at >= last) return table.back();
  const auto low = static_cast<size_t>(at);
  const double slope = static_cast<double>(table[low + 1]) - static_cast<double>(table[low]);
  return slope * (at - static_cast<double>(low)) + static_cast<double>(table[low]);
}

SigmaGrid euler_grid(const Settings& settings, const NoiseSchedule& schedule, int steps) {
  const auto table = schedule.sigmas();
  auto timesteps = spaced_timesteps(settings, steps, false);
  auto sigmas = interpolated(table, timesteps);
  if (settings.sigmas != Sigmas::timesteps) {
    const double largest = settings.sigma_max.value_or(sigmas.front());
    const double smallest = settings.sigma_min.value_or(sigmas.back());
    sigmas = between(settings.sigmas, largest, smallest, steps);
    timesteps = timesteps_of(sigmas, table);
    for (double& t : timesteps) t = static_cast<float>(t);
  }
  return finished(std::move(timesteps), sigmas, settings.last_sigma_zero ? 0.0f : table.front());
}

SigmaGrid solver_grid(const Settings& settings, const NoiseSchedule& schedule, int steps, int end, Solver solver) {
  const auto table = schedule.sigmas();
  auto timesteps = solver_timesteps(settings, steps, end);
  auto sigmas = interpolated(table, timesteps);
  float last = table.front();
  if (settings.sigmas != Sigmas::timesteps) {
    sigmas = between(settings.sigmas, table.back(), table.front(), steps);
    timesteps = timesteps_of(sigmas, table);
    make_whole(timesteps, settings, solver);
    if (solver == Solver::unipc) last = static_cast<float>(sigmas.back());
  }
  return finished(std::move(timesteps), sigmas, settings.last_sigma_zero ? 0.0f : last);
}

double input_scale(float sigma) { return 1.0 / static_cast<double>(std::sqrt(sigma * sigma + 1.0f)); }

double euler_initial_noise(const Settings& settings, const std::vector<float>& sigmas) {
  const float largest = *std::max_element(sigmas.begin(), sigmas.end());
  return settings.spacing == Spacing::leading ? std::sqrt(largest * largest + 1.0f) : largest;
}

Rates::Rates(float ratio)
    : alpha(1.0f / std::sqrt(ratio * ratio + 1.0f)), sigma(ratio * alpha), lambda(std::log(alpha) - std::log(sigma)) {}

}  // namespace fresco::sampling
