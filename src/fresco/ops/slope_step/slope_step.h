#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y[b] = x[b] + (x[b] - clean[b]) / sigma[b] * change[b], every operation in x's type and in this order.
/// x, clean [B, ...] float32; sigma, change [B] of x's type. Karras et al. 2022, algorithm 2, lines 4 and 5.
struct SlopeStepCall {
  const at::Tensor& x;
  const at::Tensor& clean;
  const at::Tensor& sigma;
  const at::Tensor& change;
};
Cost cost(const SlopeStepCall& call);
at::Tensor slope_step(const SlopeStepCall& call);
at::Tensor slope_step_reference(const SlopeStepCall& call);
at::Tensor slope_step_fused(const SlopeStepCall& call);  // float32 on the CPU; the same values

}  // namespace fresco::ops
