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

/// What a list of times adds in every resnet cell, in their order, each [R, C_out]: computed once for all steps of a plan.
struct BoundTimes {
  std::vector<at::Tensor> shifts;
  /// One of the R times for `batch` samples.
  BoundTimes at(int64_t row, int64_t batch) const;
};

/// Predicts noise (or v) from noisy latents, the time and the text (Rombach et al. 2022), for any UNetSpec. The same class trains and draws:
/// with trainable tensors in the source it is differentiable, otherwise its weights are packed as `preparation` says.
class UNet {
 public:
  /// Errors: FormatError for missing tensors or wrong shapes.
  UNet(UNetSpec spec, const layers::WeightSource& source, const layers::Preparation& preparation);

  UNet(UNet&&) = default;

  /// context [B, T, context_width]
  BoundContext bind(const at::Tensor& context) const;
  /// time [R] float32, fractional allowed.
  BoundTimes bind_time(const at::Tensor& time) const;
  /// latents [B, in_channels, H, W]; times for B samples, each its own; text for B samples, or for k times as many: then every latent is drawn
  /// under k texts (guidance: without and with the prompt), and what comes before the first look at the text is computed once.
  /// -> [k * B, out_channels, H, W] float32, the first text's B samples first.
  at::Tensor forward(const at::Tensor& latents, const BoundTimes& times, const BoundContext& text) const;
  /// time [B] float32.
  at::Tensor forward(const at::Tensor& latents, const at::Tensor& time, const BoundContext& text) const {
    return forward(latents, bind_time(time), text);
  }

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
