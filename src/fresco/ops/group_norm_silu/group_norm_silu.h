#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y = (x - mean_g) / sqrt(var_g + eps) * weight + bias, with silu after it when asked; statistics over each of `groups` groups of
/// channels of one sample, in float32 whatever the type. Wu and He 2018 (group normalisation); Elfwing et al. 2018 (SiLU).
/// x, skip [B, C, H, W] channels-last; skip may be undefined, else channels go on from x into it. weight, bias [C_x + C_skip].
/// Returns [B, C_x + C_skip, H, W] channels-last in x's type.
struct GroupNormCall {
  const at::Tensor& x;
  const at::Tensor& skip;
  const at::Tensor& weight;
  const at::Tensor& bias;
  int64_t groups = 32;
  double eps = 1e-5;
  bool silu = true;
};
Cost cost(const GroupNormCall& call);
at::Tensor group_norm_silu(const GroupNormCall& call);
at::Tensor group_norm_silu_reference(const GroupNormCall& call);
struct GroupNormKernel;
/// folded, where given, becomes mean, scale and inverse deviation of every channel [B, 3, C].
at::Tensor group_norm_silu_fused(const GroupNormCall& call, const GroupNormKernel& kernel,
                                 at::Tensor* folded = nullptr);
/// With a gradient of its own, for tensors that want one.
at::Tensor group_norm_silu_trained(const GroupNormCall& call);
bool trains(const GroupNormCall& call);

}  // namespace fresco::ops
