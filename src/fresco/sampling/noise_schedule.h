#pragma once
// alpha_bar: how much of a picture's variance is left at each training timestep (Ho et al. 2020,
// equation 4). Tables are float32 with diffusers' order of operations, so that samples agree with
// its own to rounding.
#include <vector>

#include "fresco/sampling/plan.h"
#include "fresco/sampling/settings.h"

namespace fresco::sampling {

class NoiseSchedule {
 public:
  /// `floor_last`: with zero terminal SNR the last alpha_bar is 2^-24 instead of 0 (samplers that
  /// divide by it).
  explicit NoiseSchedule(const Settings& settings, bool floor_last = false);

  int train_steps() const { return static_cast<int>(alpha_bar_.size()); }
  const std::vector<float>& alpha_bars() const { return alpha_bar_; }
  /// Errors: InputError for a timestep outside the table (leading spacing with an offset can leave
  /// it).
  float alpha_bar(int timestep) const;
  /// As above, and the alpha_bar of a clean picture before the first timestep: 1 with
  /// set_alpha_to_one, else the table's first.
  float alpha_bar_or_final(int timestep) const;
  /// sqrt((1 - alpha_bar) / alpha_bar) of each training timestep.
  std::vector<float> sigmas() const;
  /// How add_noise mixes at this timestep.
  Level level(int timestep) const;

 private:
  std::vector<float> alpha_bar_;
  float final_alpha_bar_;
};

}  // namespace fresco::sampling
