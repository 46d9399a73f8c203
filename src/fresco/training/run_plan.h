#pragma once
// What a recipe means for a run, before anything is opened.
#include <c10/core/TensorOptions.h>

#include <set>
#include <string>

#include "fresco/core/names.h"
#include "fresco/training/observer.h"
#include "fresco/training/recipe.h"
#include "fresco/training/training_model.h"

namespace fresco::training {

/// Of all weights: float32, or float64 where a phase wants that, on the device that was asked for. Errors: ResourceError (no such device).
at::TensorOptions weight_options(const Recipe& recipe, Device device);

/// Networks that are drawn anew: those that some phase trains, when the recipe starts from nothing.
std::set<Network> fresh_networks(const Recipe& recipe);

/// Whether a line of differences() between recipes is about something that decides the weights, rather than about what is watched.
bool decides_weights(const std::string& difference);

/// What the recipe alone tells: nothing of machines and samples.
RunFacts facts_of(const Recipe& recipe, const std::string& text);
PhaseFacts facts_of(const Phase& phase);

}  // namespace fresco::training
