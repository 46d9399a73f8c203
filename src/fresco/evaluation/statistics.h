#pragma once
#include <cstddef>
#include <vector>

namespace fresco::evaluation {

/// The value that a share `q` (0..1) of the values lies below, linear between neighbours (numpy's default). 0 without values.
double quantile(std::vector<double> values, double q);

/// How a handful of timings lie. All zero without values.
struct Spread {
  size_t count = 0;
  double least = 0, median = 0, p90 = 0, most = 0, mean = 0;
};
Spread spread(const std::vector<double>& values);

}  // namespace fresco::evaluation
