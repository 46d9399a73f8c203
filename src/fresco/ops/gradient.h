#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include "fresco/ops/simd/isa.h"

namespace fresco::ops {

/// True when autograd must see what is done to this tensor: only forms that train and an operator's definition serve then.
inline bool needs_gradient(const at::Tensor& t) {
  return c10::GradMode::is_enabled() && t.defined() && t.requires_grad();
}

/// What kernels over plain memory take: float32 on the CPU, unseen by autograd.
inline bool plain_float(const at::Tensor& t) {
  return t.is_cpu() && t.scalar_type() == at::kFloat && !needs_gradient(t);
}

/// True when code for this instruction set is in force and every tensor is what it takes.
template <Isa isa, typename... Tensors>
bool serves_plain(const Tensors&... tensors) {
  return current_isa() >= isa && (plain_float(tensors) && ...);
}

/// A parameter as the definition of an operator on `x` takes it: training keeps them in float32 where values are narrower.
inline at::Tensor like(const at::Tensor& parameter, const at::Tensor& x) {
  return parameter.defined() ? parameter.to(x.scalar_type()) : parameter;
}

}  // namespace fresco::ops
