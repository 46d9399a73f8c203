#pragma once
#include "fresco/training/observer.h"
#include "fresco/training/run_folder.h"
#include "fresco/training/training_model.h"

namespace fresco::training {

/// Draws the recipe's prompts, each from its own fixed seed, with the model as it is (averages where there are any), and writes them as one sheet.
/// What fails (the disk, memory) is told in the event's text; a run goes on without its pictures.
TrainEvent draw_samples(const TrainingModel& model, const WatchSettings& watch, const Place& place,
                        const RunFolder& folder, const std::string& phase_name);

}  // namespace fresco::training
