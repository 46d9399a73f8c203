#pragma once
// Reads weights for layers under a key prefix and enters them in the index.
#include <string>
#include <vector>

#include "fresco/layers/weight_source.h"
#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/linear/linear.h"

namespace fresco::layers {

/// A matrix or convolution whose weights are shared with the index.
using Conv = std::shared_ptr<ops::ConvWeights>;
using Linear = std::shared_ptr<ops::LinearWeights>;

/// Scale and offset of a normalisation, each [C].
struct NormWeights {
  std::string name;  // its key in the checkpoint, for profiles
  at::Tensor weight, bias;
};
using Norm = std::shared_ptr<NormWeights>;

/// Matrices that are built while it lives are for what is computed once a prompt, a plan or a picture, not once a step: 8-bit integers
/// would save no time there, and their error would stand in every step. They multiply float32 instead.
class ScopedOnce {
 public:
  ScopedOnce();

 private:
  ops::ScopedForm form_;
};

class Builder {
 public:
  Builder(const WeightSource& source, WeightIndex& index) : source_(source), index_(index) {}

  /// "<name>.weight" [out, in, side, side] and "<name>.bias" [out]. split > 0: the first `split` input channels come from x, the rest from a skip.
  Conv conv(const std::string& name, int64_t in, int64_t out, int64_t side, const ops::ConvGeometry& geometry,
            int64_t split = 0);
  Linear linear(const std::string& name, int64_t in, int64_t out, bool bias = true);
  /// Values and gates, [2 * out, in], with a bias: the first half of a GEGLU feed-forward.
  Linear gated(const std::string& name, int64_t in, int64_t out);
  /// Several matrices with one input as a single product; biases of all or none.
  Linear stacked(const std::vector<std::string>& names, int64_t in, int64_t out_each, bool bias);
  Norm norm(const std::string& name, int64_t channels);
  /// A bare tensor of which rows are read, such as an embedding; in the type that it is stored in, if it is left there.
  std::shared_ptr<at::Tensor> tensor(const std::string& name, std::vector<int64_t> shape);

 private:
  Linear matrices(const std::vector<std::string>& names, int64_t in, int64_t out_each, bool bias, bool gated);

  const WeightSource& source_;
  WeightIndex& index_;
};

/// x [B, C_in, H, W] -> [B, C_out, H', W']; undefined tensors stand for "none".
at::Tensor conv2d(const Conv& conv, const at::Tensor& x, const at::Tensor& skip = {}, const at::Tensor& shift = {},
                  const at::Tensor& residual = {});
at::Tensor linear(const Linear& linear, const at::Tensor& x, const at::Tensor& residual = {});
at::Tensor layer_norm(const Norm& norm, const at::Tensor& x, double eps = 1e-5);
struct GroupNormOptions {
  int64_t groups = 32;
  double eps = 1e-5;
  bool silu = true;
};
at::Tensor group_norm(const Norm& norm, const at::Tensor& x, const at::Tensor& skip, const GroupNormOptions& options);
/// Doubles x to the nearest pixel, then convolves it.
at::Tensor conv2d_doubled(const Conv& conv, const at::Tensor& x);
/// x [B, C, H, W] -> [k * B, C, H, W], channels-last.
at::Tensor repeated(const at::Tensor& x, int64_t k);
/// To the nearest pixel.
at::Tensor enlarge(const at::Tensor& x, int64_t height, int64_t width);

}  // namespace fresco::layers
