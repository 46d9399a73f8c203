#include "fresco/sampling/beta_quantile.h"

#include <cmath>

namespace fresco::sampling {
namespace {

// Continued fraction of the incomplete beta function with both shapes equal (Abramowitz and Stegun
// 26.5.8), by Lentz's method.
double continued_fraction(double x, double shape) {
  constexpr double kTiny = 1e-300;
  double c = 1, d = 1 / (1 - 2 * shape * x / (shape + 1)), value = d;
  const auto next = [&](double numerator) {
    d = 1 + numerator * d;
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    c = 1 + numerator / c;
    c = std::abs(c) < kTiny ? kTiny : c;
    value *= c * d;
  };
  for (int m = 1; m < 200; ++m) {
    const double before = value, a = shape + 2 * m;
    next(m * (shape - m) * x / ((a - 1) * a));
    next(-(shape + m) * (2 * shape + m) * x / (a * (a + 1)));
    if (std::abs(value - before) < 1e-16 * std::abs(value)) break;
  }
  return value;
}

// P(X <= x), for x up to one half.
double lower_half(double x, double shape) {
  const double front = std::exp(shape * std::log(x * (1 - x)) + std::lgamma(2 * shape) - 2 * std::lgamma(shape));
  return front * continued_fraction(x, shape) / shape;
}

}  // namespace

double beta_quantile(double probability, double shape) {
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  if (probability > 0.5) return 1 - beta_quantile(1 - probability, shape);
  double low = 0, high = 0.5;
  for (int i = 0; i < 200 && high - low > 1e-17; ++i) {
    const double middle = (low + high) / 2;
    (lower_half(middle, shape) < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace fresco::sampling
