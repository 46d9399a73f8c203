#pragma once
// A run: the phases of a recipe one after the other, kept safe on the way, from nothing to a model that draws.
#include <filesystem>

#include "fresco/core/names.h"
#include "fresco/training/observer.h"
#include "fresco/training/recipe.h"

namespace fresco::training {

struct TrainRequest {
  Recipe recipe;
  std::string recipe_text;       // as the user wrote it, for those who watch
  std::filesystem::path folder;  // of the run: made when it is not there; one with a checkpoint goes on
  bool accept_changes = false;   // go on although the recipe has changed
  Device device = Device::automatic;
  int threads = 0;  // 0: all processors this process may use
};

/// Trains until the recipe's last phase has ended and RUN/model is written. A run that is stopped at any point goes on with the bits it would
/// have had: the same number of threads and processes given.
/// Errors: InputError (before any training: data, changed recipe), ResourceError (a loss that keeps failing, memory, a process that died),
/// Interrupted, after a checkpoint was written.
void train(const TrainRequest& request, TrainObserver& observer);

}  // namespace fresco::training
