#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y = (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, mean and variance (biased) of each row in float32 whatever
/// the type. Ba et al. 2016. x [..., C]; weight, bias [C]. Returns [..., C] in x's type.
struct LayerNormCall {
  const at::Tensor& x;
  const at::Tensor& weight;
  const at::Tensor& bias;
  double eps = 1e-5;
};
Cost cost(const LayerNormCall& call);
at::Tensor layer_norm(const LayerNormCall& call);
at::Tensor layer_norm_reference(const LayerNormCall& call);
struct LayerNormKernel;
at::Tensor layer_norm_fused(const LayerNormCall& call, const LayerNormKernel& kernel);
/// With a gradient of its own, for tensors that want one.
at::Tensor layer_norm_trained(const LayerNormCall& call);
bool trains(const LayerNormCall& call);

}  // namespace fresco::ops
