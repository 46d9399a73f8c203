#pragma once
// Operators whose gradient is code of their own, as autograd sees them.
#include <ATen/core/Tensor.h>

#include <functional>
#include <string_view>
#include <vector>

namespace fresco::ops {

/// What a gradient is computed from.
struct BackwardCall {
  const at::Tensor& dy;                  // of the result, defined; in whatever layout it comes
  const std::vector<at::Tensor>& saved;  // as given to record()
  const std::vector<bool>& needed;       // which inputs' gradients somebody asks for
};

/// Gives the gradients of all inputs in their order; those that are not needed may be undefined. Runs without autograd, on whichever
/// thread the backward pass runs: what it depends on must stand in it.
using Backward = std::function<std::vector<at::Tensor>(const BackwardCall&)>;

/// Whether any of these tensors, some of which may be undefined, wants a gradient now.
bool any_needs_gradient(std::initializer_list<std::reference_wrapper<const at::Tensor>> tensors);

/// Whether training changes this weight: forms that train serve it without autograd too, as when a cell's inputs alone are kept or a loss
/// is only measured.
bool is_trained(const at::Tensor& weight);

/// Whether forms that train take this tensor: undefined, or float32 on the CPU.
bool trains_on(const at::Tensor& t);

/// Makes y, which was computed without autograd, the result of `inputs`; while autograd is off, y as it is. op: must live for ever; profiles
/// count its gradient as form "backward". saved: kept until the backward pass ran; changing them in place before it is an error of autograd's
/// (c10::Error), as is a second derivative.
at::Tensor record(std::string_view op, at::Tensor y, const std::vector<at::Tensor>& inputs,
                  const std::vector<at::Tensor>& saved, Backward backward);

}  // namespace fresco::ops
