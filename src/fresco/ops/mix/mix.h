#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y[b] = sum over k of coefficients[b, k] * inputs[k][b]: one line of a sampler's table, with a row of coefficients for every sample.
/// inputs: K tensors [B, ...] of one shape, or undefined (their coefficients are not read). coefficients [B, K] float64 on the CPU.
/// Summed in float64; returns [B, ...] in the type of the first defined input.
struct MixCall {
  const std::vector<at::Tensor>& inputs;
  const at::Tensor& coefficients;
};
Cost cost(const MixCall& call);
at::Tensor mix(const MixCall& call);
at::Tensor mix_reference(const MixCall& call);
at::Tensor mix_fused(const MixCall& call);  // float32 on the CPU; the same values

}  // namespace fresco::ops
