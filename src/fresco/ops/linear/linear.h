#pragma once
#include <ATen/core/Tensor.h>

#include <string>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Weights of one matrix product. Several tensors with a common input may stand in it one below the other (queries, keys, values).
class LinearWeights {
 public:
  std::string name;  // key in the checkpoint of the first tensor in it, for profiles

  /// weight [C_out, C_in], bias [C_out] or undefined.
  LinearWeights(at::Tensor weight, at::Tensor bias) : weight_(std::move(weight)), bias_(std::move(bias)) {}
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }
  /// Replaces rows from `row` on with the rows of `weight`.
  void assign_weight(const at::Tensor& weight, int64_t row = 0);
  void assign_bias(const at::Tensor& bias, int64_t row = 0);

 private:
  at::Tensor weight_, bias_;
};

/// y = x weight^T + bias + residual. x [..., C_in]; residual [..., C_out] or undefined. Returns [..., C_out] in x's type.
struct LinearCall {
  const at::Tensor& x;
  const LinearWeights& weights;
  const at::Tensor& residual;
};
Cost cost(const LinearCall& call);
at::Tensor linear(const LinearCall& call);
at::Tensor linear_reference(const LinearCall& call);

}  // namespace fresco::ops
