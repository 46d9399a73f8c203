#pragma once
// How much arithmetic a U-Net call is. Free of libtorch.
#include "fresco/core/multiply_adds.h"
#include "fresco/unet/unet_spec.h"

namespace fresco::unet {

/// Of one call for one sample with latents [1, in_channels, height, width], which fit (`side_fits`), and a text of `tokens` tokens. Keys
/// and values of the text count as part of every call, as elsewhere; a guided call does twice as much.
MultiplyAdds multiply_adds(const UNetSpec& spec, int64_t height, int64_t width, int64_t tokens = 77);

}  // namespace fresco::unet
