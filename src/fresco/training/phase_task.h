#pragma once
// What a kind of phase does with its batches.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fresco/data/training_set.h"
#include "fresco/training/observer.h"
#include "fresco/training/training_model.h"
#include "fresco/training/workers.h"

namespace fresco::training {

/// What a phase trains under one name: a network of the model, or heads that are dropped when the phase ends.
struct TrainedWeights {
  std::string name;
  Parameters* parameters;
  at::Tensor* average;   // where their moving average is kept; null: they have none
  double learning_rate;  // before the schedule's factor
};

/// One step's part of this process.
struct StepOutcome {
  double loss = 0;  // its share of the batch's mean: the shares of all processes add up
  double wait_seconds = 0;
};

struct PhaseNeeds {
  const Recipe& recipe;
  const Phase& phase;
  int index;  // of the phase
  TrainingModel& model;
  Workers workers;               // that share each batch
  std::filesystem::path folder;  // of the run
  TrainObserver& observer;
};

class PhaseTask {
 public:
  virtual ~PhaseTask() = default;
  const std::vector<TrainedWeights>& weights() const { return weights_; }
  /// Adds to the gradients what this process's part of batch `step` says, in parts of which the last is announced: from then on gradients
  /// may be sent as they become complete.
  virtual StepOutcome accumulate(int64_t step, const std::function<void()>& before_last) = 0;
  /// Mean loss on samples that are not trained on, with fixed noise; of the averages where there are any. Empty: the phase has none.
  virtual std::optional<TrainEvent> validate() { return std::nullopt; }
  virtual int64_t samples() const = 0;
  /// Floating point operations of one step's forward and backward passes, over all processes. What gradient checkpointing computes again is
  /// not counted, nor what is as small as normalisation.
  virtual double flops() const = 0;
  /// After the phase's last step, when averages have become weights.
  virtual void finish() {}

 protected:
  /// Of networks that are trained: backward takes twice the arithmetic of forward.
  static double flops_of(int64_t multiply_adds, int64_t samples) {
    return 3 * 2.0 * static_cast<double>(multiply_adds) * static_cast<double>(samples);
  }

  std::vector<TrainedWeights> weights_;
};

/// Errors: InputError for data that cannot be used, as data sources and caches say.
std::unique_ptr<PhaseTask> make_phase_task(const PhaseNeeds& needs);
std::unique_ptr<PhaseTask> make_diffusion_task(const PhaseNeeds& needs);
std::unique_ptr<PhaseTask> make_autoencoder_task(const PhaseNeeds& needs);
std::unique_ptr<PhaseTask> make_attributes_task(const PhaseNeeds& needs);

}  // namespace fresco::training
