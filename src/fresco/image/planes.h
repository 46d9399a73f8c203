#pragma once
// Between bytes and the float planes that networks work on; no tensor library needed.
#include <cstdint>
#include <vector>

#include "fresco/image/picture.h"

namespace fresco::image {

/// [C, H, W], byte / 255.
std::vector<float> to_planes(const Picture& picture);

/// planes: [C, H, W] with C 1, 3 or 4, nominally 0..1. x * 255 rounded half to even (numpy's
/// round), clamped; NaN gives 0.
Picture from_planes(const float* planes, int64_t C, int64_t H, int64_t W);

/// An inpainting mask [H, W] of 0 and 1 as diffusers makes it: Lanczos to width x height, grey, 1
/// (repaint) from byte 128 on.
std::vector<float> mask_planes(const Picture& picture, int64_t width, int64_t height);

/// mask [H, W] at the latents' size [H / factor, W / factor]: the first pixel of each block.
std::vector<float> latent_mask(const std::vector<float>& mask, int64_t H, int64_t W, int64_t factor = 8);

}  // namespace fresco::image
