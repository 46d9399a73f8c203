#include "fresco/pipeline/start.h"

#include <ATen/ATen.h>

#include "fresco/image/planes.h"
#include "fresco/image/resize.h"

namespace fresco::pipeline {
namespace {

// Picture in -1..1, [1, 3, H, W].
at::Tensor network_input(const DrawRequest& request, const Resolved& resolved) {
  if (request.init_values) {
    const std::array<int64_t, 4> shape{1, 3, resolved.height, resolved.width};
    return at::tensor(request.init_values->data, at::kFloat).view(shape) * 2 - 1;
  }
  auto rgb = image::to_rgb(*request.init);
  if (rgb.width != resolved.width || rgb.height != resolved.height)
    rgb = image::resize(rgb, resolved.width, resolved.height);
  auto planes = image::to_planes(rgb);
  return at::from_blob(planes.data(), {1, 3, resolved.height, resolved.width}, at::kFloat) * 2 - 1;
}

// The picture's own latents, scaled; one draw from the posterior for each picture of the batch.
at::Tensor picture_latents(const Model::Impl& model, const at::Tensor& picture, const std::vector<int64_t>& shape,
                           NoiseStream& noise) {
  const auto& spec = model.specs.vae;
  const auto moments = model.vae.encode(picture).to(at::kCPU);
  return (vae::sample_posterior(moments, noise.draw_shared(shape)) - spec.shift_factor) * spec.scaling_factor;
}

// 1 where the picture is painted anew, [1, 1, h, w].
at::Tensor latent_mask(const DrawRequest& request, const Resolved& resolved, int64_t scale) {
  const auto pixels = image::mask_planes(*request.mask, resolved.width, resolved.height);
  const auto mask = image::latent_mask(pixels, resolved.height, resolved.width, scale);
  return at::tensor(mask, at::kFloat).view({1, 1, resolved.height / scale, resolved.width / scale});
}

DenoiseHooks keep_outside(at::Tensor mask, at::Tensor picture, at::Tensor noise, const at::Device& device) {
  mask = mask.to(device);
  picture = picture.to(device);
  noise = noise.to(device);
  return {.after_row = [=](const sampling::Row& row, at::Tensor& sample) {
    const auto kept = row.reached.signal * picture + row.reached.noise * noise;
    sample = (1 - mask) * kept + mask * sample;
  }};
}

}  // namespace

Start make_start(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request, NoiseStream& noise) {
  const int64_t scale = model.specs.vae.scale();
  const std::vector<int64_t> shape{model.specs.unet.in_channels, resolved.height / scale, resolved.width / scale};
  if (resolved.task == Task::text_to_image) return {.latents = noise.draw(shape) * resolved.plan.initial_noise};

  const auto clean = picture_latents(model, network_input(request, resolved), shape, noise);  // [B, C, h, w]
  const auto fresh = noise.draw(shape);
  const auto& from = resolved.plan.start;
  if (resolved.task == Task::image_to_image) return {.latents = from.signal * clean + from.noise * fresh};

  noise.draw_shared(
      shape);  // diffusers draws the masked picture's posterior here; a 4-channel U-Net never sees it, but the stream moves on
  const bool from_noise = resolved.strength >= 1;
  return {.latents = from_noise ? fresh * resolved.plan.initial_noise : from.signal * clean + from.noise * fresh,
          .hooks = keep_outside(latent_mask(request, resolved, scale), clean, fresh, model.preparation.device)};
}

}  // namespace fresco::pipeline
