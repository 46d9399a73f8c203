#pragma once
// Optimisers over a network's parameters, and the average of its weights.
#include <memory>

#include "fresco/training/parameters.h"
#include "fresco/training/recipe.h"
#include "fresco/training/workers.h"

namespace fresco::training {

/// A vector that a checkpoint keeps, laid out like Parameters::values().
struct NamedVector {
  std::string name;
  at::Tensor values;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// One update from the parameters' gradients. step counts from 1, for the bias correction; learning_rate as the schedule has it now.
  virtual void step(int64_t step, double learning_rate) = 0;
  /// First and second moments; shared out, they are put together here: all processes call it.
  virtual std::vector<NamedVector> state() = 0;
  /// Takes up what state() gave, filled from a checkpoint.
  virtual void restore(const std::vector<NamedVector>& state) = 0;
};

/// AdamW (Loshchilov and Hutter 2019): weight_decay times learning_rate off the weights, then Adam's update with bias correction.
/// LAMB (You et al. 2020): Adam's bias-corrected direction plus weight_decay times the weights, of each tensor scaled by its weights' norm over the
/// direction's norm; by 1 where either is 0.
/// The parameters must outlive it.
///
/// sharers: processes among which its state is shared out (ZeRO stage 1). Each updates its shard_of() the values, whose
/// gradients must be there, and gets the others' from them. What it computes is the same, but for the rounding of norms.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, Parameters& parameters,
                                          const Workers& sharers = {});

/// Scales gradients by one factor so that the norm of all of them together is at most `clip` (0: as they are). Returns the norm before.
/// sharers: each has the gradients of its shard_of() alone.
double clip_gradients(const std::vector<Parameters*>& networks, double clip, const Workers& sharers = {});

}  // namespace fresco::training
