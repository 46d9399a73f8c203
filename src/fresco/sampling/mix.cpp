#include "fresco/sampling/mix.h"

#include <algorithm>
#include <cmath>

namespace fresco::sampling {

Mix operator+(const Mix& a, const Mix& b) {
  Mix sum{.sample = a.sample + b.sample,
          .output = a.output + b.output,
          .kept = a.kept + b.kept,
          .noise = a.noise + b.noise};
  for (size_t k = 0; k < sum.history.size(); ++k) sum.history[k] = a.history[k] + b.history[k];
  return sum;
}

Mix operator*(double factor, const Mix& mix) {
  // A register that is not read stays unread: 0 times an infinite factor must not become NaN.
  const auto times = [factor](double value) { return value == 0 ? 0 : factor * value; };
  Mix scaled{
      .sample = times(mix.sample), .output = times(mix.output), .kept = times(mix.kept), .noise = times(mix.noise)};
  std::transform(mix.history.begin(), mix.history.end(), scaled.history.begin(), times);
  return scaled;
}

Mix operator-(const Mix& a, const Mix& b) { return a + -1.0 * b; }

bool is_finite(const Mix& mix) {
  return std::isfinite(mix.sample) && std::isfinite(mix.output) && std::isfinite(mix.kept) &&
         std::isfinite(mix.noise) &&
         std::all_of(mix.history.begin(), mix.history.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace fresco::sampling
