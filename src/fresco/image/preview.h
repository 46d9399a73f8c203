#pragma once
// Cheap pictures of latents: each colour is a linear mix of the four latent channels.
#include <array>
#include <cstdint>

#include "fresco/image/picture.h"

namespace fresco::image {

/// colour = bias + sum over latent channels l of weight[l] * latent, 0 dark to 1 bright.
struct LatentColours {
  std::array<std::array<float, 3>, 4> weights;  // [latent channel][R, G, B]
  std::array<float, 3> bias;
};

/// For the VAE of Stable Diffusion v1 and of DeciDiffusion, on latents multiplied by its scaling factor.
const LatentColours& stable_diffusion_colours();

/// Least squares between latents [4, h, w] and a picture decoded from them: for any other VAE.
LatentColours fit_colours(const float* latents, int64_t h, int64_t w, const Picture& decoded);

/// Without any decoded picture: the first three channels as colours, each spread over its mean plus
/// and minus two deviations.
LatentColours spread_colours(const float* latents, int64_t h, int64_t w);

/// latents: [4, h, w]. RGB, `factor` times as wide and high (bilinear). NaN shows as black.
Picture preview(const float* latents, int64_t h, int64_t w, const LatentColours& colours = stable_diffusion_colours(),
                int64_t factor = 8);

}  // namespace fresco::image
