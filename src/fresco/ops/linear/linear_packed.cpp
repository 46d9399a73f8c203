// Products with packed weights; bias, residual and GEGLU are applied while the sums are in the cache.
#include <ATen/ATen.h>

#include "fresco/ops/linear/linear.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops {
namespace {

// Biases in the order of gated panels, zeros as padding.
at::Tensor gated_bias(const at::Tensor& bias, const gemm::Packed& weights) {
  const int64_t half = weights.panel / 2, outputs = bias.size(0) / 2, padded = weights.panels() * half;
  auto both = at::constant_pad_nd(bias.view({2, outputs}), {0, padded - outputs});  // [2, padded]
  return both.view({2, -1, half}).transpose(0, 1).contiguous();
}

}  // namespace

at::Tensor rows_of(const at::Tensor& x) {
  if (x.stride(-1) != 1) return contiguous(x).view({-1, x.size(-1)});
  return x.is_contiguous() ? x.view({-1, x.size(-1)}) : x.reshape({-1, x.size(-1)});
}

at::Tensor multiply(const PackedProduct& call) {
  const gemm::Packed& weights = call.weights.view;
  const bool gated = call.weights.layout == Layout::gated;
  auto shape = call.x.sizes().vec();
  shape.back() = gated ? weights.outputs / 2 : weights.outputs;
  auto y = empty(shape, call.x.options());
  const auto x = rows_of(call.x);
  const auto residual = call.residual.defined() ? rows_of(call.residual) : at::Tensor();
  const auto bias = gated && call.bias.defined() ? gated_bias(call.bias, weights) : call.bias;
  gemm::Call product{.count = x.size(0), .weights = weights, .out_stride = shape.back()};
  product.rows = {.x = x.const_data_ptr<float>(), .channels = x.size(1), .x_stride = x.stride(0)};
  product.rows.width = product.rows.out_width = product.count;
  product.epilogue.bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  if (residual.defined()) {
    product.epilogue.residual = residual.const_data_ptr<float>();
    product.epilogue.residual_stride = residual.stride(0);
  }
  product.epilogue.geglu = gated;
  product.out = y.mutable_data_ptr<float>();
  gemm::multiply(weights.storage == gemm::Storage::i8 ? *call.kernels.matrix_int8 : *call.kernels.matrix, product);
  return y;
}

at::Tensor linear_packed(const LinearCall& call) {
  const LinearWeights& weights = call.weights;
  return multiply({call.x, weights.packed(), weights.kernels(), weights.bias(), call.residual});
}

}  // namespace fresco::ops
