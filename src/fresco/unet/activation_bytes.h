#pragma once
// How much memory a U-Net's activations take. Free of libtorch.
#include "fresco/unet/unet_spec.h"

namespace fresco::unet {

/// The most that the activations of one call hold at once, in bytes: hidden states, skips, and what the cells keep in between.
/// batch counts rows, both halves of a guided call; height and width are those of the latents, and fit (`side_fits`).
int64_t activation_bytes(const UNetSpec& spec, int64_t batch, int64_t height, int64_t width, int64_t element_bytes);

/// Keys and values of every cross-attention for so many texts of `tokens` tokens, in bytes (BoundContext).
int64_t bound_bytes(const UNetSpec& spec, int64_t texts, int64_t tokens, int64_t element_bytes);

}  // namespace fresco::unet
