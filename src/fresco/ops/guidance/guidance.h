#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Classifier-free guidance (Ho and Salimans 2022) with rescale (Lin et al. 2024, section 3.4):
/// g = uncond + scale * (cond - uncond); y = rescale * g * std(cond) / std(g) + (1 - rescale) * g, std over all of a sample, unbiased.
/// both [2B, ...]: B unconditional outputs, then B conditional ones; scale, rescale [B]. Returns [B, ...].
struct GuidanceCall {
  const at::Tensor& both;
  const at::Tensor& scale;
  const at::Tensor& rescale;
};
Cost cost(const GuidanceCall& call);
at::Tensor guidance(const GuidanceCall& call);
at::Tensor guidance_reference(const GuidanceCall& call);
at::Tensor guidance_fused(
    const GuidanceCall& call);  // float32 on the CPU; the same values, deviations to a unit in the last place

}  // namespace fresco::ops
