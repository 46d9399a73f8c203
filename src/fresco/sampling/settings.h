#pragma once
// What a scheduler's config says, after diffusers' from_config: keys that the file states and the
// sampler's class knows, the class's own defaults for the rest.
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/core/json.h"

namespace fresco::sampling {

enum class Prediction { epsilon, velocity, sample };
enum class Spacing { linspace, leading, trailing };
enum class Betas { linear, scaled_linear, cosine, trained };
/// How the noise levels between the largest and the smallest are chosen; `timesteps`: those at
/// evenly spaced timesteps.
enum class Sigmas { timesteps, karras, exponential, beta };

struct Settings {
  std::string sampler;
  std::string place;  // the config's file, for messages

  int train_steps = 1000;
  Betas betas = Betas::linear;
  double beta_start = 1e-4;
  double beta_end = 0.02;
  std::vector<double> trained_betas;
  bool zero_snr = false;

  Prediction prediction = Prediction::epsilon;
  Spacing spacing = Spacing::leading;
  int steps_offset = 0;
  Sigmas sigmas = Sigmas::timesteps;
  std::optional<double> sigma_min, sigma_max;  // ends of Karras and other spacings (Euler)
  bool last_sigma_zero = true;                 // final_sigmas_type
  std::optional<double> clip;                  // clip_sample_range when clip_sample
  bool set_alpha_to_one = true;
  bool skip_prk_steps = false;  // PNDM
  bool large_variance = false;  // DDPM: fixed_large
  int solver_order = 2;         // DPM-Solver++, UniPC
  std::string solver_type;      // midpoint or heun; bh1 or bh2
  bool sde = false;             // DPM-Solver++
  bool lower_order_final = true;
  bool euler_at_final = false;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();
  std::vector<int> disable_corrector;  // UniPC
  int original_steps = 50;             // LCM
  double timestep_scaling = 10;        // LCM
};

/// What diffusers' pipelines change in the config of a folder's scheduler.
enum class Loading { plain, drawing, inpainting };

/// `sampler`: empty for the config's own class. Errors: FormatError naming `place` for broken or
/// unsupported values and for a class that nobody knows; InputError for an unknown sampler.
Settings read_settings(const Json& config, std::string_view place, std::string_view sampler, Loading loading);

}  // namespace fresco::sampling
