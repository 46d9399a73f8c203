#include "fresco/pipeline/model_specs.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"
#include "fresco/unet/activation_bytes.h"
#include "fresco/vae/activation_bytes.h"

namespace fresco::pipeline {
namespace {

using checkpoint::Family;

bool has_middle(const checkpoint::TensorSource& tensors) {
  const auto& list = tensors.tensors();
  return std::any_of(list.begin(), list.end(), [](const auto& info) { return info.name.rfind("mid_block.", 0) == 0; });
}

// The published pipelines' defaults: https://huggingface.co/Deci/DeciDiffusion-v1-0, https://huggingface.co/Deci/DeciDiffusion-v2-0,
// diffusers' StableDiffusionPipeline.
Defaults published(Family family) {
  switch (family) {
    case Family::decidiffusion_1:
      return {.steps = 30, .guidance_rescale = 0.7};
    case Family::decidiffusion_2:
      return {.sampler = "squeezed-dpmpp", .squeeze = "10,6", .steps = 30, .guidance_rescale = 0.8};
    case Family::stable_diffusion:
      break;
  }
  return {};
}

void check_fit(const ModelSpecs& specs, const checkpoint::ModelFiles& files) {
  if (specs.unet.context_width != specs.text.width)
    throw FormatError(files.unet.config_place,
                      fmt::format("the U-Net wants text of width {}, the text encoder gives {}",
                                  specs.unet.context_width, specs.text.width));
  if (specs.unet.in_channels != specs.vae.latent_channels || specs.unet.out_channels != specs.vae.latent_channels)
    throw FormatError(files.vae.config_place,
                      fmt::format("the VAE has {} latent channels, the U-Net takes {} and gives {}",
                                  specs.vae.latent_channels, specs.unet.in_channels, specs.unet.out_channels));
}

uint64_t elements(const checkpoint::Part& part) {
  uint64_t sum = 0;
  for (const auto& info : part.tensors->tensors()) sum += info.bytes() / checkpoint::size_in_bytes(info.type);
  return sum;
}

}  // namespace

ModelSpecs read_specs(const checkpoint::ModelFiles& files) {
  ModelSpecs specs;
  specs.unet = unet::read_spec(files.unet.config, files.unet.config_place, has_middle(*files.unet.tensors));
  specs.vae = vae::read_vae_spec(files.vae.config, files.vae.config_place);
  specs.text = text::read_text_spec(files.text_encoder.config, files.text_encoder.config_place);
  check_fit(specs, files);
  specs.defaults = published(files.family);
  specs.defaults.width = specs.defaults.height = specs.unet.sample_size * specs.vae.scale();
  return specs;
}

uint64_t weight_bytes(const checkpoint::ModelFiles& files, uint64_t element_bytes) {
  return element_bytes * (elements(files.unet) + elements(files.vae) + elements(files.text_encoder));
}

uint64_t kept_bytes(const checkpoint::ModelFiles& files, const WeightKeeping& keeping) {
  uint64_t sum = 0, largest = 0;
  for (const auto* part : {&files.unet, &files.vae, &files.text_encoder}) {
    for (const auto& info : part->tensors->tensors()) {
      const bool table = info.name.find("embeddings") != std::string::npos;
      const bool vector = info.shape.size() < 2;
      const uint64_t count = info.bytes() / checkpoint::size_in_bytes(info.type);
      const bool half = keeping.keep_half && !vector && !table && info.type == checkpoint::ElementType::f16;
      const uint64_t bytes = count * (half ? 2 : keeping.element_bytes);
      if (keeping.leave_stored && !vector) {
        largest = std::max(largest, table ? 0 : info.bytes() + bytes);  // the file's pages and the packed copy
      } else {
        sum += bytes;
      }
    }
  }
  return sum + largest;
}

uint64_t stored_bytes(const checkpoint::ModelFiles& files) {
  uint64_t sum = 0;
  for (const auto* part : {&files.unet, &files.vae, &files.text_encoder}) {
    for (const auto& info : part->tensors->tensors()) sum += info.bytes();
  }
  return sum;
}

ActivationBytes activation_bytes(const ModelSpecs& specs, int64_t pictures, int64_t width, int64_t height,
                                 uint64_t element_bytes) {
  const int64_t h = height / specs.vae.scale(), w = width / specs.vae.scale();
  const auto element = static_cast<int64_t>(element_bytes);
  const int64_t rows = 2 * pictures;  // unconditional and conditional
  const int64_t denoising = unet::activation_bytes(specs.unet, rows, h, w, element) +
                            unet::bound_bytes(specs.unet, rows, specs.text.positions, element);
  const int64_t picture =
      std::max(vae::decoding_bytes(specs.vae, 1, h, w, element), vae::encoding_bytes(specs.vae, 1, h, w, element));
  const auto with_gaps = [](int64_t bytes) { return static_cast<uint64_t>(bytes + bytes / 8); };
  return {with_gaps(denoising), with_gaps(picture)};
}

}  // namespace fresco::pipeline
