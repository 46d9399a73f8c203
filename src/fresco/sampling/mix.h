#pragma once
// Arithmetic on linear combinations, so that a sampler's table is written as its paper writes the
// update.
#include "fresco/sampling/plan.h"

namespace fresco::sampling {

inline Mix sample(double factor = 1) { return Mix{.sample = factor}; }
inline Mix output(double factor = 1) { return Mix{.output = factor}; }
inline Mix kept(double factor = 1) { return Mix{.kept = factor}; }
inline Mix noise(double factor = 1) { return Mix{.noise = factor}; }
inline Mix history(int age, double factor = 1) {
  Mix mix;
  mix.history.at(static_cast<size_t>(age)) = factor;
  return mix;
}

Mix operator+(const Mix& a, const Mix& b);
Mix operator-(const Mix& a, const Mix& b);
Mix operator*(double factor, const Mix& mix);

bool is_finite(const Mix& mix);

}  // namespace fresco::sampling
