#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y = value * gelu(gate) [..., C] of x [..., 2*C] = [value, gate], gelu with the error function itself. Shazeer 2020.
struct GegluCall {
  const at::Tensor& x;
};
Cost cost(const GegluCall& call);
at::Tensor geglu(const GegluCall& call);
at::Tensor geglu_reference(const GegluCall& call);
struct GegluKernel;
at::Tensor geglu_fused(const GegluCall& call, const GegluKernel& kernel);
/// With a gradient of its own, for tensors that want one.
at::Tensor geglu_trained(const GegluCall& call);
bool trains(const GegluCall& call);

}  // namespace fresco::ops
