#pragma once
// What config.json would say about a network whose file has none, read off its tensors' shapes (diffusers' names).
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/json.h"

namespace fresco::checkpoint {

/// Errors of all three: FormatError when a tensor that tells a size is missing or of another rank.
Json infer_unet_config(const TensorSource& unet);
Json infer_vae_config(const TensorSource& vae);
Json infer_text_config(const TensorSource& text);

/// The PNDM settings that Stable Diffusion v1.5 is published with.
Json published_scheduler();

}  // namespace fresco::checkpoint
