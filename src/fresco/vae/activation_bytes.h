#pragma once
// How much memory an autoencoder's activations take. Free of libtorch.
#include "fresco/vae/vae_spec.h"

namespace fresco::vae {

/// The most that the activations of one decoding hold at once, in bytes; height and width are those of the latents.
int64_t decoding_bytes(const VaeSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes);

/// The same for encoding; height and width are those of the latents that come out.
int64_t encoding_bytes(const VaeSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes);

}  // namespace fresco::vae
