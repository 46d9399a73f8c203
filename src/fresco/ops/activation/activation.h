#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/activation/activation_kernel.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y = f(x), value by value. silu: x / (1 + e^-x) (Elfwing et al. 2018). gelu: x * Phi(x) with the error function itself, quick_gelu:
/// x / (1 + e^-1.702x) (Hendrycks and Gimpel 2016). Any shape; returns x's type.
struct ActivationCall {
  const at::Tensor& x;
  Activation function;
};
Cost cost(const ActivationCall& call);
at::Tensor activation(const ActivationCall& call);
at::Tensor activation_reference(const ActivationCall& call);

}  // namespace fresco::ops
