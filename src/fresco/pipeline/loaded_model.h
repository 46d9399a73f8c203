#pragma once
// What a Model holds once it is loaded.
#include <mutex>
#include <optional>

#include "fresco/pipeline/model.h"
#include "fresco/pipeline/model_specs.h"
#include "fresco/text/text_encoder.h"
#include "fresco/text/tokenizer.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"

namespace fresco::pipeline {

struct Model::Impl {
  checkpoint::ModelFiles files;
  ModelSpecs specs;
  layers::Preparation preparation;
  Device device = Device::cpu;
  Precision precision = Precision::f32;
  text::Tokenizer tokenizer;
  text::TextEncoder text_encoder;
  unet::UNet unet;
  vae::Vae vae;
  std::once_flag hashed;
  std::string hash;
};

/// Device and element type for what was asked. Errors: ResourceError when there is no such device, InputError for a precision it lacks.
layers::Preparation preparation_for(const LoadOptions& options);
/// The same for these files: a packed one has a precision of its own. Errors: also InputError when its weights were rounded to another.
layers::Preparation preparation_for(const LoadOptions& options, const checkpoint::ModelFiles& files);

/// Warns when a packed file was made for other kernels than those that will run.
void tell_fit(const checkpoint::ModelFiles& files, const layers::Preparation& preparation, Observer& observer);

/// The word for what was prepared.
Precision precision_of(const layers::Preparation& preparation);

/// Errors: ResourceError with the numbers when the weights, and what drawing one picture of this size takes, are more than free memory.
/// A GPU's memory is not asked.
void require_memory(const checkpoint::ModelFiles& files, const ModelSpecs& specs,
                    const layers::Preparation& preparation, int64_t width, int64_t height);

}  // namespace fresco::pipeline
