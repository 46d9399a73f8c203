#include "fresco/sampling/noise_schedule.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "fresco/core/error.h"

namespace fresco::sampling {
namespace {

// torch.linspace in float32: from both ends towards the middle, one rounding an entry.
std::vector<float> float_linspace(float first, float last, int count) {
  std::vector<float> values(static_cast<size_t>(count));
  const float step = (last - first) / static_cast<float>(count - 1);
  for (int i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] = i < count / 2 ? std::fma(step, static_cast<float>(i), first)
                                                   : std::fma(-step, static_cast<float>(count - 1 - i), last);
  }
  return values;
}

// Nichol and Dhariwal 2021, equation 17, with their cap of 0.999.
std::vector<float> cosine_betas(int count) {
  const auto alpha_bar = [](double time) {
    const double c = std::cos((time + 0.008) / 1.008 * std::numbers::pi / 2);
    return c * c;
  };
  std::vector<float> betas;
  for (int i = 0; i < count; ++i) {
    const double ratio = alpha_bar((i + 1.0) / count) / alpha_bar(static_cast<double>(i) / count);
    betas.push_back(static_cast<float>(std::min(1 - ratio, 0.999)));
  }
  return betas;
}

std::vector<float> make_betas(const Settings& settings) {
  const auto start = settings.beta_start, end = settings.beta_end;
  switch (settings.betas) {
    case Betas::cosine:
      return cosine_betas(settings.train_steps);
    case Betas::trained:
      return {settings.trained_betas.begin(), settings.trained_betas.end()};
    case Betas::linear:
      return float_linspace(static_cast<float>(start), static_cast<float>(end), settings.train_steps);
    case Betas::scaled_linear:
      break;
  }
  auto betas =
      float_linspace(static_cast<float>(std::sqrt(start)), static_cast<float>(std::sqrt(end)), settings.train_steps);
  for (float& beta : betas) beta *= beta;
  return betas;
}

// Running product, accumulated in double.
std::vector<float> running_product(const std::vector<float>& betas) {
  std::vector<float> product;
  product.reserve(betas.size());
  double so_far = 1;
  for (const float beta : betas) product.push_back(static_cast<float>(so_far *= 1.0f - beta));
  return product;
}

// The square root in torch's builds is not correctly rounded. Where that shows is the first
// alpha_bar of the cosine schedule, whose root lies almost half-way between two floats and comes
// out as the upper one: 1 - alpha_bar is so small there that the other choice would change every
// DeciDiffusion picture by 1e-5.
float torch_root(float value) {
  const double exact = std::sqrt(static_cast<double>(value));
  const auto nearest = static_cast<float>(exact);
  const float above = std::nextafter(nearest, std::numeric_limits<float>::infinity());
  return exact - nearest > 0.49 * (static_cast<double>(above) - nearest) ? above : nearest;
}

// Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1.
std::vector<float> with_zero_terminal_snr(const std::vector<float>& betas) {
  auto root = running_product(betas);
  for (float& value : root) value = torch_root(value);
  const float first = root.front(), last = root.back();
  const float scale = first / (first - last);
  std::vector<float> rescaled;
  float previous = 1;
  for (const float value : root) {
    const float shifted = (value - last) * scale;
    const float alpha_bar = shifted * shifted;
    rescaled.push_back(1.0f - (rescaled.empty() ? alpha_bar : alpha_bar / previous));
    previous = alpha_bar;
  }
  return rescaled;
}

}  // namespace

NoiseSchedule::NoiseSchedule(const Settings& settings, bool floor_last) {
  auto betas = make_betas(settings);
  if (settings.zero_snr) betas = with_zero_terminal_snr(betas);
  alpha_bar_ = running_product(betas);
  if (settings.zero_snr && floor_last) alpha_bar_.back() = 0x1p-24f;
  final_alpha_bar_ = settings.set_alpha_to_one ? 1.0f : alpha_bar_.front();
}

float NoiseSchedule::alpha_bar(int timestep) const {
  if (timestep < 0 || timestep >= train_steps())
    throw InputError("--steps",
                     fmt::format("the model's sampler settings lead to timestep {}, outside 0..{}; use fewer steps",
                                 timestep, train_steps() - 1));
  return alpha_bar_[static_cast<size_t>(timestep)];
}

float NoiseSchedule::alpha_bar_or_final(int timestep) const {
  return timestep < 0 ? final_alpha_bar_ : alpha_bar(timestep);
}

std::vector<float> NoiseSchedule::sigmas() const {
  std::vector<float> sigmas;
  for (const float a : alpha_bar_) sigmas.push_back(torch_root((1.0f - a) / a));
  return sigmas;
}

Level NoiseSchedule::level(int timestep) const {
  const float a = alpha_bar(timestep);
  return {std::sqrt(a), std::sqrt(1.0f - a)};
}

}  // namespace fresco::sampling
