#pragma once
#include <string>

#include "fresco/layers/builder.h"

namespace fresco::layers {

/// Sinusoids of the time through two matrices (Vaswani et al. 2017; Ho et al. 2020).
struct TimeShape {
  int64_t sinusoids = 320;
  int64_t width = 1280;
  bool cosine_first = true;    // flip_sin_to_cos
  double frequency_shift = 0;  // freq_shift
};

/// time [B] float32 -> [B, sinusoids] float32: cos (or sin) of time * 10000^(-k / (half - shift)), then the other.
at::Tensor sinusoids(const at::Tensor& time, const TimeShape& shape);

class TimeEmbedding {
 public:
  TimeEmbedding(Builder& builder, const std::string& prefix, const TimeShape& shape);
  /// time [B] float32 -> silu(embedding) [B, width] in `type`: every user of the embedding applies silu first.
  at::Tensor forward(const at::Tensor& time, at::ScalarType type) const;

 private:
  TimeShape shape_;
  Linear linear_1_, linear_2_;
};

}  // namespace fresco::layers
