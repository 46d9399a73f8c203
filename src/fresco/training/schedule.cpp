#include "fresco/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fresco::training {
namespace {

double warm_up(const ScheduleSettings& settings, int64_t step) {
  if (step >= settings.warmup) return 1;
  return static_cast<double>(step + 1) / static_cast<double>(settings.warmup + 1);
}

// 0 until the end of the warm-up, 1 after the last step.
double progress(const ScheduleSettings& settings, int64_t step, int64_t steps) {
  if (step <= settings.warmup) return 0;
  if (step >= steps) return 1;
  return static_cast<double>(step - settings.warmup) / static_cast<double>(steps - settings.warmup);
}

double on_line(const std::vector<std::pair<int64_t, double>>& points, int64_t step) {
  if (points.empty()) return 1;
  const auto after = std::upper_bound(points.begin(), points.end(), step,
                                      [](int64_t wanted, const auto& point) { return wanted < point.first; });
  if (after == points.begin()) return points.front().second;
  if (after == points.end()) return points.back().second;
  const auto& [first, from] = *std::prev(after);
  const auto& [last, to] = *after;
  return from + (to - from) * static_cast<double>(step - first) / static_cast<double>(last - first);
}

double shape(const ScheduleSettings& settings, int64_t step, int64_t steps) {
  const double p = progress(settings, step, steps), end = settings.final_factor;
  switch (settings.kind) {
    case ScheduleKind::constant:
      break;
    case ScheduleKind::linear:
      return 1 + (end - 1) * p;
    case ScheduleKind::cosine:
      return end + (1 - end) * (1 + std::cos(std::numbers::pi * p)) / 2;
    case ScheduleKind::piecewise:
      return on_line(settings.points, step);
  }
  return 1;
}

}  // namespace

double learning_rate_factor(const ScheduleSettings& settings, int64_t step, int64_t steps) {
  return warm_up(settings, step) * shape(settings, step, steps);
}

std::optional<double> ema_decay(const EmaSettings& settings, int64_t step) {
  if (settings.decay <= 0 || step < settings.start) return std::nullopt;
  if (settings.power <= 0) return settings.decay;
  const auto n = static_cast<double>(step - settings.start);
  return std::min(settings.decay, 1 - std::pow(1 + n, -settings.power));
}

}  // namespace fresco::training
