#pragma once
#include <cstdint>

#include "fresco/training/parameters.h"

namespace fresco::training {

/// Sets weights as PyTorch's modules begin: matrices, kernels and their biases uniform within 1/sqrt(inputs), norms one and zero, embeddings
/// normal with CLIP's deviation of 0.02. A tensor's values depend on the seed and its name alone.
void draw_fresh_weights(Parameters& parameters, uint64_t seed);

/// Log variances of a fresh VAE's posterior begin next to kFirstLogVariance. With the deviations of 1 that fresh weights give, latents are
/// noise at first: all channels then learn to carry brightness, and colours stay side by side on one line.
inline constexpr double kFirstLogVariance = -6;
void narrow_posterior(Parameters& vae);

}  // namespace fresco::training
