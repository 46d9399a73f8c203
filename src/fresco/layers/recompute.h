#pragma once
// Gradient checkpointing (Chen et al. 2016): what a function keeps for its backward pass is not kept but computed again.
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace fresco::layers {

/// Gives one tensor for some; reads nothing that changes before the backward pass but tensors that it is given and weights.
using Recomputed = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// run(inputs), of which only the inputs are kept: the backward pass runs it once more, with the operators' form and products that are in
/// force now. Undefined inputs are passed on as they are. Weights that need gradients get them as ever. No second derivatives.
at::Tensor recomputed(Recomputed run, const std::vector<at::Tensor>& inputs);

/// Whether this thread runs such a function for the second time: what its result is the sum of need not be computed (ops::ScopedUnread).
bool computing_again();

}  // namespace fresco::layers
