#pragma once
// One spelling for names that files spell in several ways.
#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

/// VAE attention: query/key/value/proj_attn become to_q/to_k/to_v/to_out.0, and weights [C, C, 1, 1] become [C, C].
std::shared_ptr<const TensorSource> normalise_vae(std::shared_ptr<const TensorSource> source);

/// CLIP text: every name begins with "text_model."; buffers (position_ids) and towers that drawing does not need are left out.
std::shared_ptr<const TensorSource> normalise_text(std::shared_ptr<const TensorSource> source);

}  // namespace fresco::checkpoint
