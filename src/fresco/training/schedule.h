#pragma once
// What changes from step to step, as pure functions of the step: a run that goes on from any of them sees the
// same. Steps count from 0 within a phase.
#include <cstdint>
#include <optional>

#include "fresco/training/recipe.h"

namespace fresco::training {

/// What the learning rate is multiplied by for step `step` of `steps`:
///   warm-up   (step + 1)/(warmup + 1) until it is 1, at step `warmup`
/// times, with p = (step - warmup)/(steps - warmup) from 0 to 1,
///   constant  1
///   linear    1 + (final_factor - 1) p
///   cosine    final_factor + (1 - final_factor) (1 + cos(pi p))/2
///   piecewise the line through `points` (step, factor), level before the first and after the last.
double learning_rate_factor(const ScheduleSettings& settings, int64_t step, int64_t steps);

/// How much of the average is kept after step `step`, average = decay * average + (1 - decay) * weights. With
/// n = step - start:
///   power 0  decay
///   else     min(decay, 1 - (1 + n)^-power)
/// Nothing where no average is kept: none is wanted, or it has not begun. It begins as the weights are before
/// step `start`.
std::optional<double> ema_decay(const EmaSettings& settings, int64_t step);

}  // namespace fresco::training
