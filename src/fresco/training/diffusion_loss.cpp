#include "fresco/training/diffusion_loss.h"

#include <ATen/ATen.h>

namespace fresco::training {

NoisyLatents noised(const LossTables& tables, sampling::Prediction prediction, const at::Tensor& latents,
                    const at::Tensor& noise, const at::Tensor& timesteps) {
  const auto at_times = [&](const at::Tensor& table) {
    return table.index_select(0, timesteps).to(latents.scalar_type());
  };
  const auto signal = at_times(tables.signal).view({-1, 1, 1, 1});
  const auto level = at_times(tables.noise).view({-1, 1, 1, 1});
  NoisyLatents given{.noisy = signal * latents + level * noise, .weight = at_times(tables.weight)};
  switch (prediction) {
    case sampling::Prediction::epsilon:
      given.target = noise;
      break;
    case sampling::Prediction::velocity:
      given.target = signal * noise - level * latents;
      break;
    case sampling::Prediction::sample:
      given.target = latents;
      break;
  }
  return given;
}

at::Tensor diffusion_loss(const NoisyLatents& given, const at::Tensor& predicted, int64_t batch) {
  const auto errors = (predicted - given.target).square().mean({1, 2, 3});
  return (given.weight * errors).sum() / batch;
}

}  // namespace fresco::training
