#pragma once
#include <string>

#include "fresco/layers/builder.h"

namespace fresco::layers {

struct TransformerShape {
  int64_t channels = 0;
  int64_t heads = 8;
  int64_t context = 768;  // width of the text's hidden states
  int64_t groups = 32;
  int64_t depth = 1;  // transformer blocks one after the other
};

/// Keys and values of one cross-attention for one text: [B, T, C] each.
struct BoundText {
  at::Tensor keys, values;
};

/// Group norm, 1x1 projection, transformer blocks over the pixels, 1x1 projection, residual (Rombach et al. 2022).
class TransformerCell {
 public:
  TransformerCell(Builder& builder, const std::string& prefix, const TransformerShape& shape);
  /// context [B, T, context] -> keys and values of every block; depends on the text alone.
  std::vector<BoundText> bind(const at::Tensor& context) const;
  /// x [B, C, H, W] -> [B, C, H, W]
  at::Tensor forward(const at::Tensor& x, const std::vector<BoundText>& text) const;

 private:
  struct Block {
    std::string name;
    Norm norm1, norm2, norm3;
    Linear self_qkv, self_out, cross_q, cross_k, cross_v, cross_out, feed_in, feed_out;
  };
  at::Tensor run(const Block& block, at::Tensor x, const BoundText& text) const;  // [B, T, C] -> [B, T, C]
  at::Tensor attend_within(const Block& block, const at::Tensor& qkv) const;      // [B, T, 3C] -> [B, T, C]

  std::string name_;
  TransformerShape shape_;
  Norm norm_;
  Linear project_in_, project_out_;
  std::vector<Block> blocks_;
};

}  // namespace fresco::layers
