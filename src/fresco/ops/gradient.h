#pragma once
#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

namespace fresco::ops {

/// True when autograd must see what is done to this tensor: only an operator's definition serves then.
inline bool needs_gradient(const at::Tensor& t) {
  return c10::GradMode::is_enabled() && t.defined() && t.requires_grad();
}

}  // namespace fresco::ops
