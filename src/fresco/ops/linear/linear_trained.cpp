// The product that trains: forward and the gradient of x by packed weights, which are packed anew for each pass since every step changes
// them.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/gradient/record.h"
#include "fresco/ops/gradient/unread.h"
#include "fresco/ops/linear/linear.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops {
namespace {

enum Input : size_t { kX, kWeight, kBias, kResidual, kInputs };

gemm::Rows plain_rows(const at::Tensor& x) {
  return {.x = x.const_data_ptr<float>(), .channels = x.size(1), .x_stride = x.stride(0)};
}

// dy [N, C_out], x [N, C_in] -> [C_out, C_in]
at::Tensor weight_gradient(const outer::Kernel& kernel, const at::Tensor& dy, const at::Tensor& x) {
  auto dw = empty({dy.size(1), x.size(1)}, x.options());
  outer::multiply(kernel, {plain_rows(dy), plain_rows(x), dy.size(0), dw.mutable_data_ptr<float>(), x.size(1)});
  return dw;
}

// saved: x, weight.
std::vector<at::Tensor> backward(const KernelSet& kernels, const BackwardCall& call) {
  std::vector<at::Tensor> found(kInputs);
  const auto &x = call.saved[0], &weight = call.saved[1];
  if (call.needed[kX]) {
    const auto packed = pack_turned(weight, {0, weight.size(1)}, Layout::matrix, kernels);
    found[kX] = multiply({call.dy, packed, kernels, {}, {}});
  }
  const auto dy = rows_of(call.dy);
  if (call.needed[kWeight]) found[kWeight] = weight_gradient(*kernels.outer, dy, rows_of(x));
  if (call.needed[kBias]) found[kBias] = dy.sum(0);
  if (call.needed[kResidual]) found[kResidual] = call.dy;
  return found;
}

}  // namespace

bool trains(const LinearCall& call) {
  if (!trains_on(call.x) || call.x.numel() == 0 || current_isa() == Isa::none) return false;
  if (current_products() == Products::i8) return false;
  const LinearWeights& weights = call.weights;
  // Packed ones want no gradient.
  const auto weight = weights.kernels().isa == Isa::none ? weights.weight(at::kFloat) : at::Tensor();
  return is_trained(weight) || any_needs_gradient({call.x, weights.bias(), call.residual});
}

at::Tensor linear_trained(const LinearCall& call) {
  const auto weight = call.weights.weight(at::kFloat);
  const auto& bias = call.weights.bias();
  const KernelSet kernels = current_kernels();
  at::Tensor y;
  if (results_are_unread() && !call.weights.gated()) {  // what gates reads it
    auto sizes = call.x.sizes().vec();
    sizes.back() = weight.size(0);
    y = without_values(sizes, call.x.options());
  } else {
    const c10::NoGradGuard guard;
    y = multiply({call.x, pack_for_pass(weight, Layout::matrix, kernels), kernels, bias, call.residual});
  }
  y = record("linear", std::move(y), {call.x, weight, bias, call.residual}, {call.x, weight},
             [kernels](const BackwardCall& b) { return backward(kernels, b); });
  return call.weights.gated() ? geglu({y}) : y;
}

}  // namespace fresco::ops
