#pragma once
#include <cstdint>

#include "fresco/training/parameters.h"

namespace fresco::training {

/// Sets weights as PyTorch's modules begin: matrices, kernels and their biases uniform within 1/sqrt(inputs), norms one and zero, embeddings
/// normal with CLIP's deviation of 0.02. A tensor's values depend on the seed and its name alone.
void draw_fresh_weights(Parameters& parameters, uint64_t seed);

}  // namespace fresco::training
