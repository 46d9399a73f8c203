#pragma once
// A model's configs read into specs, and what it is published with. Free of libtorch: enough to check a request and to inspect.
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

/// Generous estimates of what decoding one picture, and one guided U-Net call for it, take beside the weights, in bytes.
uint64_t decoding_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes);
uint64_t unet_call_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes);

/// A generous estimate of what drawing one picture takes beside the weights, in bytes: the larger of a U-Net call and a decoding.
uint64_t drawing_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes);

}  // namespace fresco::pipeline
