#include "fresco/sampling/timesteps.h"

#include <algorithm>
#include <cmath>

namespace fresco::sampling {
namespace {

// numpy.round: half to even, which is the processor's default rounding.
void round_all(std::vector<double>& values) {
  for (double& value : values) value = std::nearbyint(value);
}

// round(numpy.arange(end, 0, -train_steps / steps)) - 1. Rounding of the stride can make numpy give
// one entry too many (61 or 103 steps of 1000), a timestep of -1 behind the last; it has no meaning
// and is left out.
std::vector<double> trailing(int end, int train_steps, int steps) {
  const double stride = -static_cast<double>(train_steps) / steps;
  const auto count = static_cast<int>(std::ceil(-end / stride));
  const double delta = (end + stride) - end;
  std::vector<double> values;
  values.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) values.push_back(end + i * delta);
  round_all(values);
  for (double& value : values) value -= 1;
  std::erase_if(values, [](double value) { return value < 0; });
  return values;
}

// Multiples of a whole stride from the top, `count` of them.
std::vector<double> leading(int stride, int count, int offset) {
  std::vector<double> values;
  for (int i = count - 1; i >= 0; --i) values.push_back(static_cast<double>(i) * stride + offset);
  return values;
}

}  // namespace

std::vector<double> linspace(double first, double last, int count) {
  std::vector<double> values;
  values.reserve(static_cast<size_t>(count));
  const double step = count > 1 ? (last - first) / (count - 1) : 0;
  for (int i = 0; i < count; ++i) values.push_back(i * step + first);
  if (count > 1) values.back() = last;
  return values;
}

std::vector<double> spaced_timesteps(const Settings& settings, int steps, bool rounded) {
  if (settings.spacing == Spacing::trailing) return trailing(settings.train_steps, settings.train_steps, steps);
  if (settings.spacing == Spacing::leading) return leading(settings.train_steps / steps, steps, settings.steps_offset);
  auto values = linspace(0, settings.train_steps - 1, steps);
  if (rounded) round_all(values);
  // Fractional timesteps are float32 before anything is looked up at them.
  for (double& value : values) value = static_cast<float>(value);
  std::reverse(values.begin(), values.end());
  return values;
}

std::vector<double> solver_timesteps(const Settings& settings, int steps, int end) {
  if (settings.spacing == Spacing::trailing) return trailing(end, settings.train_steps, steps);
  std::vector<double> values;
  if (settings.spacing == Spacing::leading) {
    values = leading(end / (steps + 1), steps + 1, 0);
  } else {
    values = linspace(0, end - 1, steps + 1);
    round_all(values);
    std::reverse(values.begin(), values.end());
  }
  values.pop_back();
  if (settings.spacing == Spacing::leading)
    for (double& value : values) value += settings.steps_offset;
  return values;
}

}  // namespace fresco::sampling
