#pragma once
#include <string>

#include "fresco/layers/builder.h"

namespace fresco::layers {

struct ResnetShape {
  int64_t in = 0;    // channels of x
  int64_t skip = 0;  // channels of the skip, 0 without one
  int64_t out = 0;
  int64_t time = 0;  // width of the time embedding, 0 without one (VAE)
  int64_t groups = 32;
  double eps = 1e-5;
};

/// Two normalised convolutions around a shift that depends on the time, and a shortcut (He et al. 2016; Ho et al. 2020).
class ResnetCell {
 public:
  ResnetCell(Builder& builder, const std::string& prefix, const ResnetShape& shape);
  /// activated_time = silu(time embedding) [R, time] -> what the time adds to every pixel, [R, C_out]; undefined where time plays no part.
  at::Tensor time_shift(const at::Tensor& activated_time) const;
  /// x [B, C_in, H, W], skip [B, C_skip, H, W] or undefined, shift [B, C_out] or undefined -> [B, C_out, H, W]
  /// x handed over (std::move) is given up as soon as it has been read: at the finest level of a decoder it is the largest tensor there is.
  at::Tensor forward(at::Tensor x, const at::Tensor& skip, const at::Tensor& shift) const;

 private:
  std::string name_;
  ResnetShape shape_;
  Norm norm1_, norm2_;
  Conv conv1_, conv2_, shortcut_;
  Linear time_projection_;
};

}  // namespace fresco::layers
