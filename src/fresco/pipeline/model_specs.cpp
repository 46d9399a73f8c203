#include "fresco/pipeline/model_specs.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/error.h"

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

uint64_t decoding_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes) {
  const auto& ch = specs.vae.channels;
  const auto full =
      static_cast<uint64_t>(ch.size() > 1 ? ch[1] : ch[0]);  // the widest at full size: what is enlarged last
  return 4 * full * static_cast<uint64_t>(width) * static_cast<uint64_t>(height) * element_bytes;
}

uint64_t unet_call_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes) {
  const auto latents =
      static_cast<uint64_t>(width / specs.vae.scale()) * static_cast<uint64_t>(height / specs.vae.scale());
  return 2 * 40 * static_cast<uint64_t>(specs.unet.width) * latents * element_bytes;
}

uint64_t drawing_bytes(const ModelSpecs& specs, int64_t width, int64_t height, uint64_t element_bytes) {
  return std::max(decoding_bytes(specs, width, height, element_bytes),
                  unet_call_bytes(specs, width, height, element_bytes));
}

}  // namespace fresco::pipeline
