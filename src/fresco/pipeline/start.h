#pragma once
// Where a run starts: noise, a noisy picture, or a noisy picture with a mask.
#include "fresco/pipeline/denoise.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/resolve.h"

namespace fresco::pipeline {

struct Start {
  at::Tensor latents;  // [B, 4, h, w]
  DenoiseHooks hooks;  // lays the kept part over each step's sample when inpainting
};

/// Pictures first, first + 1, ... of the request.
struct PictureRange {
  int64_t first = 0, count = 0;
};

/// Draws from `noise` in diffusers' order: posterior of the picture, noise, posterior of the masked picture.
Start make_start(const Model::Impl& model, const Resolved& resolved, const DrawRequest& request, PictureRange range,
                 NoiseStream& noise);

}  // namespace fresco::pipeline
