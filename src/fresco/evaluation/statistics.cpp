#include "fresco/evaluation/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fresco::evaluation {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], place - static_cast<double>(below));
}

Spread spread(const std::vector<double>& values) {
  if (values.empty()) return {};
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {values.size(),         quantile(values, 0), quantile(values, 0.5),
          quantile(values, 0.9), quantile(values, 1), sum / static_cast<double>(values.size())};
}

}  // namespace fresco::evaluation
