#pragma once
// A convolution by packed weights, whosever they are: drawing packs them once, training anew for each pass.
#include "fresco/ops/conv2d/conv2d.h"

namespace fresco::ops {

/// As Conv2dCall says of its members.
struct Convolution {
  const at::Tensor& x;
  const at::Tensor& skip;
  const PackedWeights& weights;
  const KernelSet& kernels;  // that the weights are packed for
  int64_t outputs, side;
  ConvGeometry geometry;
  at::Tensor bias;
  at::Tensor shift;
  at::Tensor residual;
  bool doubled = false;
};
at::Tensor convolve(const Convolution& convolution);

/// The pixels under a kernel for each pixel of y. x, skip (or undefined) and y are dense, channels-last.
gemm::Rows rows_under(const at::Tensor& x, const at::Tensor& skip, const at::Tensor& y, int64_t side,
                      const ConvGeometry& geometry);

/// conv2d with a gradient of its own, for tensors that want one.
at::Tensor conv2d_trained(const Conv2dCall& call);
bool trains(const Conv2dCall& call);

}  // namespace fresco::ops
