#pragma once
// How much arithmetic the autoencoder does. Free of libtorch.
#include "fresco/core/multiply_adds.h"
#include "fresco/vae/vae_spec.h"

namespace fresco::vae {

/// Of decoding latents [1, latent_channels, height, width] in one piece.
MultiplyAdds decoder_multiply_adds(const VaeSpec& spec, int64_t height, int64_t width);

/// Of encoding a picture whose latents are [1, latent_channels, height, width].
MultiplyAdds encoder_multiply_adds(const VaeSpec& spec, int64_t height, int64_t width);

}  // namespace fresco::vae
