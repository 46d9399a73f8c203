#pragma once
// What a timestep decides when a network is trained: how much of the picture and of the noise is mixed, and
// the weight of the loss. Free of libtorch.
#include <cstdint>
#include <vector>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// By timestep. The noisy latents are signal * latents + noise * n; velocity is signal * n - noise * latents
/// (Salimans and Ho 2022).
struct NoiseTables {
  std::vector<double>
      alpha_bar;               // diffusers' float32 table, which samplers draw with; ends in 0 with zero terminal SNR
  std::vector<double> signal;  // sqrt(alpha_bar)
  std::vector<double> noise;   // sqrt(1 - alpha_bar)
  std::vector<double> snr;     // alpha_bar / (1 - alpha_bar)
  int64_t steps() const { return static_cast<int64_t>(alpha_bar.size()); }
};

/// Zero terminal SNR shifts and scales sqrt(alpha_bar) before any table is made (Lin et al. 2024, algorithm
/// 1). Errors: InputError for settings that leave no noise in some timestep.
NoiseTables make_noise_tables(const NoiseSettings& settings);

/// Weight of a sample's mean squared error by its timestep, of the network's own target.
///   velocity: paper min(SNR, gamma)/(SNR + 1), snr_plus_one min(SNR + 1, gamma)/(SNR + 1)
///   epsilon:  both min(SNR, gamma)/SNR, 1 at SNR 0; the "+ 1" is velocity's alone, as in diffusers
/// and never less than the floor. Errors: InputError for a prediction of another kind.
std::vector<double> loss_weights(const NoiseTables& tables, const LossSettings& settings);

}  // namespace fresco::training
