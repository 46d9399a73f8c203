#pragma once
#include <ATen/core/Tensor.h>

namespace fresco::ops {

/// x [..., 2*C] = [value, gate]; returns value * gelu(gate) [..., C], gelu with the error function itself. Shazeer 2020.
at::Tensor geglu(const at::Tensor& x);
at::Tensor geglu_reference(const at::Tensor& x);

}  // namespace fresco::ops
