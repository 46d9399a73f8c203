#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <mutex>
#include <string>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Rows and columns of zeros around the input, and the stride of the kernel.
struct ConvGeometry {
  int64_t stride = 1;
  int64_t top = 1, left = 1, bottom = 1, right = 1;
};
constexpr ConvGeometry kSame3x3{};  // 3x3, stride 1
constexpr ConvGeometry kPointwise{.top = 0, .left = 0, .bottom = 0, .right = 0};
constexpr ConvGeometry kHalve3x3{.stride = 2};  // U-Net's downsampling
constexpr ConvGeometry kHalveBottomRight{
    .stride = 2, .top = 0, .left = 0};  // VAE encoder's: zeros below and right only

/// Weights of one convolution in the layout a form wants; at most one layout is alive. Packing waits for the first use: loading is quick,
/// and what never runs (the VAE's encoder, for a picture from words alone) is never packed.
class ConvWeights {
 public:
  std::string name;  // its key in the checkpoint, for profiles

  /// weight [C_out, C_in, kh, kw], bias [C_out] or undefined; split > 0: the first `split` input channels come from x, the others from a
  /// skip. To be packed when the form in force on this thread packs (CPU, float32, no gradient).
  ConvWeights(at::Tensor weight, at::Tensor bias, const ConvGeometry& geometry, int64_t split = 0);

  /// Replaces the values. Not while another thread uses them.
  void assign_weight(const at::Tensor& weight);
  void assign_bias(const at::Tensor& bias) { bias_ = bias; }

  at::Tensor weight() const;  // plain layout, unpacked when necessary
  const at::Tensor& bias() const { return bias_; }
  bool packs() const { return packs_; }
  /// Packed weights, only with packs(): one tensor, or one for x and one for the skip. Packs on the first call; safe from several threads.
  const std::array<at::Tensor, 2>& packed() const;
  const ConvGeometry& geometry() const { return geometry_; }
  const std::array<int64_t, 4>& shape() const { return shape_; }  // C_out, C_in, kh, kw

 private:
  mutable std::mutex mutex_;
  mutable at::Tensor plain_;
  mutable std::array<at::Tensor, 2> packed_;
  at::Tensor bias_;
  ConvGeometry geometry_;
  std::array<int64_t, 4> shape_;
  int64_t split_ = 0;
  bool packs_ = false;
};

/// y = conv2d([x, skip], weight) + bias + shift + residual.
/// x [B, C_x, H, W] and skip [B, C_skip, H, W] or undefined, channels-last; shift [B, C_out] or undefined (the time's share of a resnet cell);
/// residual [B, C_out, H', W'] or undefined. Returns [B, C_out, H', W'] channels-last in x's type.
struct Conv2dCall {
  const at::Tensor& x;
  const at::Tensor& skip;
  const ConvWeights& weights;
  const at::Tensor& shift;
  const at::Tensor& residual;
};
Cost cost(const Conv2dCall& call);
at::Tensor conv2d(const Conv2dCall& call);
at::Tensor conv2d_reference(const Conv2dCall& call);
at::Tensor conv2d_onednn(const Conv2dCall& call);

/// oneDNN's blocked layout of a weight [C_out, C_in, kh, kw], and back.
at::Tensor pack_onednn(const at::Tensor& weight, const ConvGeometry& geometry);

}  // namespace fresco::ops
