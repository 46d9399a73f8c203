#pragma once
// Which timesteps a run visits: numpy's arithmetic, since rounding decides which integers come out.
#include <vector>

#include "fresco/sampling/settings.h"

namespace fresco::sampling {

/// numpy.linspace(first, last, count).
std::vector<double> linspace(double first, double last, int count);

/// Descending timesteps of DDIM, DDPM, PNDM (rounded), Euler and Heun (linspace not rounded).
std::vector<double> spaced_timesteps(const Settings& settings, int steps, bool rounded);

/// Descending timesteps of DPM-Solver++ and UniPC, which place one point more and leave the last
/// out. `end`: one more than the largest timestep allowed.
std::vector<double> solver_timesteps(const Settings& settings, int steps, int end);

}  // namespace fresco::sampling
