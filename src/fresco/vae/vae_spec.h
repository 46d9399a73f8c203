#pragma once
// An autoencoder as data. Free of libtorch.
#include "fresco/core/json.h"

namespace fresco::vae {

struct VaeSpec {
  std::vector<int64_t> channels{128, 256, 512, 512};  // per level, finest first
  int64_t layers = 2;                                 // resnets a level on the way down; one more on the way up
  int64_t latent_channels = 4;
  int64_t picture_channels = 3;
  int64_t groups = 32;
  double scaling_factor = 0.18215;
  double shift_factor = 0;
  bool middle_attention = true;
  bool quant_conv = true;
  bool post_quant_conv = true;
  /// Pixels a latent side: 2^(levels - 1).
  int64_t scale() const { return int64_t{1} << (channels.size() - 1); }
};

/// Reads diffusers' AutoencoderKL config.json. Errors: FormatError naming `place` and the key.
VaeSpec read_vae_spec(const Json& config, std::string_view place);

struct VaeTensor {
  std::string name;
  std::vector<int64_t> shape;
};
std::vector<VaeTensor> expected_tensors(const VaeSpec& spec);

}  // namespace fresco::vae
