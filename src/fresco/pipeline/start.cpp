#include "fresco/pipeline/start.h"

#include <ATen/ATen.h>

#include "fresco/image/planes.h"
#include "fresco/image/resize.h"

namespace fresco::pipeline {
namespace {

// Those of a range when there is one for each picture; the single one for all.
at::Tensor rows_of(const Values& values, PictureRange range) {
  const auto all = at::tensor(values.data, at::kFloat).view(values.shape);
  return all.size(0) == 1 ? all : all.narrow(0, range.first, range.count);
}

// Pictures in -1..1, [1 or B, 3, H, W].
at::Tensor network_input(const DrawRequest& request, const Resolved& resolved, PictureRange range) {
  if (request.init_values) return rows_of(*request.init_values, range) * 2 - 1;
  auto rgb = image::to_rgb(*request.init);
  if (rgb.width != resolved.width || rgb.height != resolved.height)
    rgb = image::resize(rgb, resolved.width, resolved.height);
  auto planes = image::to_planes(rgb);
  return at::from_blob(planes.data(), {1, 3, resolved.height, resolved.width}, at::kFloat) * 2 - 1;
}

// The pictures' own latents, scaled: drawn from their posterior with `drawn` [B, C, h, w].
at::Tensor picture_latents(const Model::Impl& model, const at::Tensor& pictures, const at::Tensor& drawn) {
  const auto& spec = model.specs.vae;
  const auto moments = model.vae.encode(pictures).to(at::kCPU);
  return (vae::sample_posterior(moments, drawn) - spec.shift_factor) * spec.scaling_factor;
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

Start make_start(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request, PictureRange range,
                 NoiseStream& noise) {
  const int64_t scale = model.specs.vae.scale();
  const std::vector<int64_t> shape{model.specs.unet.in_channels, resolved.height / scale, resolved.width / scale};
  const auto make_fresh = [&] {
    if (!request.noise) return noise.draw(shape);
    const auto given = rows_of(*request.noise, range);
    return given.expand({range.count, -1, -1, -1}).contiguous();
  };
  if (resolved.task == Task::text_to_image) return {.latents = make_fresh() * resolved.plan.initial_noise};

  const auto pictures = network_input(request, resolved, range);  // [N, 3, H, W]
  const int64_t inputs = pictures.size(0);
  // Of one picture, image to image draws a posterior for each generator, inpainting (there too in diffusers) one from the first.
  const bool inpainting = resolved.task == Task::inpainting;
  const auto drawn = inpainting ? noise.draw_first(shape, inputs) : noise.draw_shared(shape, inputs);
  const auto clean = picture_latents(model, pictures, drawn);  // [B, C, h, w]
  const auto fresh = make_fresh();
  const auto& from = resolved.plan.start;
  if (!inpainting) return {.latents = from.signal * clean + from.noise * fresh};

  // Diffusers draws the masked picture's posterior here; a 4-channel U-Net never sees it, but the stream moves on.
  noise.draw_first(shape, inputs);
  const bool from_noise = resolved.strength >= 1 || request.noise;
  return {.latents = from_noise ? fresh * resolved.plan.initial_noise : from.signal * clean + from.noise * fresh,
          .hooks = keep_outside(latent_mask(request, resolved, scale), clean, fresh, model.preparation.device)};
}

}  // namespace fresco::pipeline
