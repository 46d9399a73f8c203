#include "fresco/layers/time_embedding.h"

#include <ATen/ATen.h>

#include <cmath>

#include "fresco/ops/activation/activation.h"

namespace fresco::layers {

at::Tensor sinusoids(const at::Tensor& time, const TimeShape& shape) {
  const int64_t half = shape.sinusoids / 2;
  const auto index = at::arange(half, at::dtype(at::kFloat).device(time.device()));
  const auto frequencies = at::exp(index * -std::log(10000.0) / (static_cast<double>(half) - shape.frequency_shift));
  const auto angles = time.unsqueeze(1) * frequencies.unsqueeze(0);  // [B, half]
  const auto sine = at::sin(angles), cosine = at::cos(angles);
  return shape.cosine_first ? at::cat({cosine, sine}, 1) : at::cat({sine, cosine}, 1);
}

TimeEmbedding::TimeEmbedding(Builder& builder, const std::string& prefix, const TimeShape& shape)
    : shape_(shape),
      linear_1_(builder.linear(prefix + ".linear_1", shape.sinusoids, shape.width)),
      linear_2_(builder.linear(prefix + ".linear_2", shape.width, shape.width)) {}

at::Tensor TimeEmbedding::forward(const at::Tensor& time, at::ScalarType type) const {
  const auto silu = [](const at::Tensor& x) { return ops::activation({x, ops::Activation::silu}); };
  const auto hidden = silu(linear(linear_1_, sinusoids(time, shape_).to(type)));
  return silu(linear(linear_2_, hidden));
}

}  // namespace fresco::layers
