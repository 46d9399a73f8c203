#pragma once
#include <functional>
#include <memory>

#include "fresco/layers/resnet_cell.h"
#include "fresco/vae/vae_spec.h"

namespace fresco::vae {

/// Self-attention over the pixels of the coarsest level: one head as wide as the level, group norm first, residual after.
class PixelAttention {
 public:
  PixelAttention(layers::Builder& builder, const std::string& prefix, int64_t channels, int64_t groups);
  at::Tensor forward(const at::Tensor& x) const;  // [B, C, H, W] -> [B, C, H, W]

 private:
  std::string name_;
  int64_t groups_;
  layers::Norm norm_;
  layers::Linear qkv_, out_;
};

/// Resnet, attention, resnet.
struct Middle {
  layers::ResnetCell first, second;
  std::unique_ptr<PixelAttention> attention;
  at::Tensor forward(at::Tensor x) const;
};

class Encoder {
 public:
  Encoder(layers::Builder& builder, const VaeSpec& spec);
  /// picture [B, 3, H, W] in -1..1 -> moments [B, 2 * latent, H/8, W/8]: mean, then log variance
  at::Tensor forward(const at::Tensor& picture) const;

 private:
  struct Level {
    std::vector<layers::ResnetCell> resnets;
    layers::Conv halve;
  };
  VaeSpec spec_;
  layers::Conv conv_in_, conv_out_, quant_;
  std::vector<Level> levels_;
  std::unique_ptr<Middle> middle_;
  layers::Norm norm_out_;
};

class Decoder {
 public:
  Decoder(layers::Builder& builder, const VaeSpec& spec);
  /// latents [B, latent, h, w], divided by the scaling factor -> picture [B, 3, H, W], about -1..1
  at::Tensor forward(const at::Tensor& latents) const;

 private:
  struct Level {
    std::vector<layers::ResnetCell> resnets;
    layers::Conv enlarge;
  };
  VaeSpec spec_;
  layers::Conv post_quant_, conv_in_, conv_out_;
  std::unique_ptr<Middle> middle_;
  std::vector<Level> levels_;
  layers::Norm norm_out_;
};

/// Squares of latents that a large picture is decoded in, blended over their overlap.
struct Tiling {
  int64_t tile = 64;     // latent side of a tile
  int64_t overlap = 16;  // latent rows or columns that neighbours share
};

/// Variational autoencoder between pictures and latents (Kingma and Welling 2014; Rombach et al. 2022).
class Vae {
 public:
  /// Errors: FormatError for missing tensors or wrong shapes.
  Vae(const VaeSpec& spec, const layers::WeightSource& source, const layers::Preparation& preparation);

  /// picture [B, 3, H, W] in -1..1 -> moments [B, 2 * latent, H/8, W/8] float32, unscaled.
  at::Tensor encode(const at::Tensor& picture) const;
  /// latents [B, latent, h, w], already divided by the scaling factor -> [B, 3, H, W] float32, not clamped.
  at::Tensor decode(const at::Tensor& latents) const;
  /// The same in tiles: peak memory is a tile's. `between` is called before each tile and may throw to stop.
  at::Tensor decode_tiled(const at::Tensor& latents, const Tiling& tiling,
                          const std::function<void()>& between = {}) const;

  const VaeSpec& spec() const { return spec_; }
  void replace(const std::string& name, const at::Tensor& value) { index_.replace(name, value); }

 private:
  at::Tensor prepared(const at::Tensor& x) const;

  VaeSpec spec_;
  layers::Preparation preparation_;
  layers::WeightIndex index_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;
};

/// One draw from the posterior: mean + exp(0.5 * clamp(log variance, -30, 20)) * noise. moments [B, 2C, h, w], noise [B, C, h, w].
at::Tensor sample_posterior(const at::Tensor& moments, const at::Tensor& noise);

}  // namespace fresco::vae
