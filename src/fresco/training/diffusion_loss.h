#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// By timestep, each [train_steps] float64: sqrt(alpha_bar), sqrt(1 - alpha_bar), the weight of the loss.
struct LossTables {
  at::Tensor signal, noise, weight;
};

/// latents [B, C, h, w], scaled; noise of their shape; timesteps [B] int64. Ho et al. 2020; Salimans and Ho 2022 (v).
struct NoisyLatents {
  at::Tensor noisy;   // signal * latents + noise_level * noise
  at::Tensor target;  // of the network: noise, v = signal * noise - noise_level * latents, or the latents
  at::Tensor weight;  // [B]
};
NoisyLatents noised(const LossTables& tables, sampling::Prediction prediction, const at::Tensor& latents,
                    const at::Tensor& noise, const at::Tensor& timesteps);

/// Sum over the samples of weight * mean squared error, over `batch`: so the parts of a batch add up to its mean.
at::Tensor diffusion_loss(const NoisyLatents& given, const at::Tensor& predicted, int64_t batch);

}  // namespace fresco::training
