#pragma once
#include <ATen/core/Tensor.h>

#include <array>
#include <mutex>
#include <string>
#include <vector>

#include "fresco/ops/gemm/packed_weights.h"
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

/// How weights [C_out, C_in, kh, kw] of such a convolution are packed.
Layout layout_for(at::IntArrayRef shape, const ConvGeometry& geometry, int64_t split);

/// Weights of one convolution in the layout a form wants; at most one layout is alive. Packing waits for the first use: loading is quick,
/// and what never runs (the VAE's encoder, for a picture from words alone) is never packed.
class ConvWeights {
 public:
  std::string name;  // its key in the checkpoint, for profiles

  /// weight [C_out, C_in, kh, kw], float32 or, where the form in force on this thread packs, as narrow as the checkpoint has it; bias
  /// [C_out] or undefined; split > 0: the first `split` input channels come from x, the others from a skip.
  ConvWeights(StoredTensor weight, at::Tensor bias, const ConvGeometry& geometry, int64_t split = 0);
  /// Of weights that are packed already, as layout_for() says, for the kernels in force on this thread; shape [C_out, C_in, kh, kw].
  ConvWeights(PackedStore weight, const std::vector<int64_t>& shape, at::Tensor bias, const ConvGeometry& geometry,
              int64_t split = 0);

  /// Replaces the values. Not while another thread uses them.
  void assign_weight(const at::Tensor& weight);
  void assign_bias(const at::Tensor& bias) { bias_ = bias; }

  /// Plain, in this type; unpacked when necessary.
  at::Tensor weight(at::ScalarType type) const;
  const at::Tensor& bias() const { return bias_; }
  const ConvGeometry& geometry() const { return geometry_; }
  const std::vector<int64_t>& shape() const { return weight_.shape(); }  // C_out, C_in, kh, kw

  /// The kernels that weights are packed for; isa none: not for ours.
  const KernelSet& kernels() const { return kernels_; }
  PackedWeights packed() const { return weight_.packed(kernels_); }
  Layout layout() const { return weight_.layout(); }  // of the packed ones

  bool packs_onednn() const { return packs_onednn_; }
  /// oneDNN's layout, only with packs_onednn(): one tensor, or one for x and one for the skip. Packs on the first call; safe from several
  /// threads.
  const std::array<at::Tensor, 2>& packed_onednn() const;

 private:
  mutable LazyWeights weight_;
  at::Tensor bias_;
  ConvGeometry geometry_;
  KernelSet kernels_;
  int64_t split_ = 0;
  bool packs_onednn_ = false;
  mutable std::mutex mutex_;
  mutable std::array<at::Tensor, 2> onednn_;
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
  bool doubled = false;  // x is read as if each pixel were four: 3x3 with stride 1 alone, without a skip
};
Cost cost(const Conv2dCall& call);
at::Tensor conv2d(const Conv2dCall& call);
at::Tensor conv2d_reference(const Conv2dCall& call);
at::Tensor conv2d_onednn(const Conv2dCall& call);
at::Tensor conv2d_packed(const Conv2dCall& call);

/// x [B, C, H, W] -> [B, C, 2H, 2W]: each pixel four times.
at::Tensor doubled(const at::Tensor& x);

/// oneDNN's blocked layout of a weight [C_out, C_in, kh, kw], and back.
at::Tensor pack_onednn(const at::Tensor& weight, const ConvGeometry& geometry);

}  // namespace fresco::ops
