#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "fresco/ops/gemm/packed_weights.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Weights of one matrix product. Several tensors with a common input may stand in it one below the other (queries, keys, values).
class LinearWeights {
 public:
  std::string name;  // key in the checkpoint of the first tensor in it, for profiles

  /// weight [C_out, C_in], float32 or, where the form in force on this thread packs, as narrow as the checkpoint has it; bias [C_out] or
  /// undefined. gated: outputs are [value, gate], for linear_geglu.
  LinearWeights(StoredTensor weight, at::Tensor bias, bool gated = false);
  /// Of weights that are packed already for the kernels in force on this thread; shape [C_out, C_in].
  LinearWeights(PackedStore weight, std::vector<int64_t> shape, at::Tensor bias, bool gated);

  /// Plain, in the type of `like`.
  at::Tensor weight(at::ScalarType type) const { return weight_.plain().to(type); }
  const at::Tensor& bias() const { return bias_; }
  /// Replaces rows from `row` on with the rows of `weight`.
  void assign_weight(const at::Tensor& weight, int64_t row = 0);
  void assign_bias(const at::Tensor& bias, int64_t row = 0);

  int64_t outputs() const { return weight_.shape()[0]; }
  int64_t depth() const { return weight_.shape()[1]; }
  bool gated() const { return gated_; }
  /// The kernels that weights are packed for; isa none: not packed.
  const KernelSet& kernels() const { return kernels_; }
  PackedWeights packed() const { return weight_.packed(kernels_); }

 private:
  LazyWeights weight_;
  at::Tensor bias_;
  KernelSet kernels_;
  bool gated_;
};

/// y = x weight^T + bias + residual. x [..., C_in]; residual [..., C_out] or undefined. Returns [..., C_out] in x's type.
/// With gated weights [value, gate] it is value * gelu(gate), [..., C_out / 2], without a residual (see geglu).
struct LinearCall {
  const at::Tensor& x;
  const LinearWeights& weights;
  const at::Tensor& residual;
};
Cost cost(const LinearCall& call);
at::Tensor linear(const LinearCall& call);
at::Tensor linear_reference(const LinearCall& call);
at::Tensor linear_packed(const LinearCall& call);
/// With a gradient of its own, for tensors that want one.
at::Tensor linear_trained(const LinearCall& call);
bool trains(const LinearCall& call);

/// The product by packed weights, whosever they are. bias, residual: may be undefined.
struct PackedProduct {
  const at::Tensor& x;
  const PackedWeights& weights;
  const KernelSet& kernels;
  at::Tensor bias, residual;
};
at::Tensor multiply(const PackedProduct& product);
/// x [..., C] as rows [N, C] at a fixed distance, dense in themselves: chunks of a wider tensor are read in place.
at::Tensor rows_of(const at::Tensor& x);

}  // namespace fresco::ops
