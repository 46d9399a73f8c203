#pragma once
#include "fresco/layers/builder.h"
#include "fresco/text/text_spec.h"

namespace fresco::text {

/// CLIP's text transformer (Radford et al. 2021): token and position embeddings, pre-norm layers with causal attention.
class TextEncoder {
 public:
  /// Errors: FormatError for missing tensors or wrong shapes.
  TextEncoder(const TextSpec& spec, const layers::WeightSource& source, const layers::Preparation& preparation);
  TextEncoder(TextEncoder&&) = default;

  /// ids [B, T] int64, T at most `positions` -> last hidden state after the final norm [B, T, width].
  /// clip_skip leaves out so many of the last layers (diffusers' numbering), before the final norm.
  at::Tensor forward(const at::Tensor& ids, int64_t clip_skip = 0) const;

  const TextSpec& spec() const { return spec_; }
  void replace(const std::string& name, const at::Tensor& value) { index_.replace(name, value); }

 private:
  struct Layer {
    std::string name;
    layers::Norm norm1, norm2;
    layers::Linear qkv, out, feed_in, feed_out;
  };
  at::Tensor gelu(const at::Tensor& x) const;
  at::Tensor run(const Layer& layer, const at::Tensor& x) const;  // [B, T, width] -> [B, T, width]

  TextSpec spec_;
  layers::Preparation preparation_;
  layers::WeightIndex index_;
  std::shared_ptr<at::Tensor> tokens_, positions_;
  std::vector<Layer> layers_;
  layers::Norm final_norm_;
};

}  // namespace fresco::text
