#pragma once
// A model's configs read into specs, and what it is published with. Free of libtorch: enough to check a request and to inspect.
#include <algorithm>

#include "fresco/checkpoint/model_files.h"
#include "fresco/pipeline/model.h"
#include "fresco/text/text_spec.h"
#include "fresco/unet/unet_spec.h"
#include "fresco/vae/vae_spec.h"

namespace fresco::pipeline {

struct ModelSpecs {
  unet::UNetSpec unet;
  vae::VaeSpec vae;
  text::TextSpec text;
  Defaults defaults;
};

/// Errors: FormatError for configs that are broken, that fresco does not run, or that do not fit each other.
ModelSpecs read_specs(const checkpoint::ModelFiles& files);

/// Bytes of all weights when each element takes `element_bytes`.
uint64_t weight_bytes(const checkpoint::ModelFiles& files, uint64_t element_bytes);

/// How a loaded model keeps its weights (layers::Preparation).
struct WeightKeeping {
  uint64_t element_bytes = 4;
  bool keep_half = false;     // matrices and convolutions that are stored in float16 stay so
  bool leave_stored = false;  // they stay in the file: one at a time is in memory
};
/// The memory that weights take then, in bytes.
uint64_t kept_bytes(const checkpoint::ModelFiles& files, const WeightKeeping& keeping);

/// Bytes of all weights as the files hold them.
uint64_t stored_bytes(const checkpoint::ModelFiles& files);

/// What the networks' activations take beside the weights, in bytes, with an eighth more for gaps between blocks and for what
/// operators need inside.
struct ActivationBytes {
  uint64_t denoising = 0;  // a guided U-Net call for all pictures, and the texts' keys and values
  uint64_t picture = 0;    // decoding one picture, or encoding one; pictures take turns
  uint64_t most() const { return std::max(denoising, picture); }
};
ActivationBytes activation_bytes(const ModelSpecs& specs, int64_t pictures, int64_t width, int64_t height,
                                 uint64_t element_bytes);

}  // namespace fresco::pipeline
