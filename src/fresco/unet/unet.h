#pragma once
#include <memory>
#include <variant>

#include "fresco/layers/resnet_cell.h"
#include "fresco/layers/time_embedding.h"
#include "fresco/layers/transformer_cell.h"
#include "fresco/unet/unet_spec.h"

namespace fresco::unet {

/// Keys and values of every cross-attention for a batch of texts, in the order of the transformer cells. Owned by a request; computed once a prompt.
using BoundContext = std::vector<std::vector<layers::BoundText>>;

/// Predicts noise (or v) from noisy latents, the time and the text (Rombach et al. 2022), for any UNetSpec. The same class trains and draws:
/// with trainable tensors in the source it is differentiable, otherwise its weights are packed as `preparation` says.
class UNet {
 public:
  /// Errors: FormatError for missing tensors or wrong shapes.
  UNet(UNetSpec spec, const layers::WeightSource& source, const layers::Preparation& preparation);

  UNet(UNet&&) = default;

  /// context [B, T, context_width]
  BoundContext bind(const at::Tensor& context) const;
  /// latents [B, in_channels, H, W]; time [B] float32, one for each sample, fractional allowed; text of the same B -> [B, out_channels, H, W] float32.
  at::Tensor forward(const at::Tensor& latents, const at::Tensor& time, const BoundContext& text) const;

  const UNetSpec& spec() const { return spec_; }
  const layers::Preparation& preparation() const { return preparation_; }
  /// Packs one tensor anew, by its name in the checkpoint.
  void replace(const std::string& name, const at::Tensor& value);

 private:
  struct Cell {
    std::variant<layers::ResnetCell, layers::TransformerCell> body;
    const CellSpec* spec;
  };
  struct Stage {
    std::vector<Cell> cells;
    layers::Conv resample;
    const StageSpec* spec;
  };
  class Run;

  UNetSpec spec_;
  layers::Preparation preparation_;
  layers::WeightIndex index_;
  layers::Conv conv_in_, conv_out_;
  std::unique_ptr<layers::TimeEmbedding> time_embedding_;
  std::vector<Stage> stages_;
  layers::Norm norm_out_;
};

}  // namespace fresco::unet
