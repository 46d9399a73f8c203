#pragma once
// What a training tells those who watch it: the terminal, the run folder's record, TensorBoard. Free of libtorch.
// Numbers are those of all processes together; only the first process reports.
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fresco/core/observer.h"
#include "fresco/training/recipe.h"

namespace fresco::training {

/// What is known of a phase before it starts.
struct PhaseFacts {
  std::string name;
  PhaseKind kind = PhaseKind::diffusion;
  int64_t steps = 0;
  int64_t batch = 0;       // samples a step
  int64_t resolution = 0;  // pixels
  int64_t samples = 0;     // that the phase draws from; 0: not known yet
  int64_t parameters = 0;  // that are trained; 0: not known yet
};

/// Once, before everything else, and again when a run goes on.
struct RunFacts {
  std::string name;    // of the recipe
  std::string recipe;  // its text as the user wrote it
  uint64_t seed = 0;
  std::string device;  // "cpu", "cuda"
  int threads = 1;     // of one process
  int processes = 1;
  double flops = 0;  // floating point operations a second the machines can do in the run's precision; 0: not measured
  std::vector<PhaseFacts> phases;
};

/// Where a run stands: so many steps of a phase are done.
struct Place {
  int phase = 0;  // index into the recipe's phases
  int64_t step = 0;
  auto operator<=>(const Place&) const = default;  // NOLINT(modernize-use-nullptr): its 0 is no pointer
};

/// One optimiser step has ended.
struct StepRecord {
  Place place;                  // this step counted: the first one of a phase is step 1
  double loss = 0;              // mean over the batch, weights of the loss included
  double gradient_norm = 0;     // of all gradients together, before clipping
  double learning_rate = 0;     // of the network the phase is about
  std::optional<double> decay;  // of the moving average, once it has begun
  int64_t images = 0;           // samples seen in this step
  double seconds = 0;           // since the step before; checkpoints, samples and validation in between left out
  double wait_seconds = 0;      // of these, spent waiting for data
  double flops = 0;             // floating point operations of forward and backward; 0: not counted
  uint64_t memory_bytes = 0;    // largest resident size of the process so far
  uint64_t gpu_bytes = 0;       // largest taken of the GPU's memory so far; 0 without
};

enum class EventKind : uint8_t {
  checkpoint,  // `path` was written in `seconds`
  paused,      // one could not be written, the one before it was kept: `text` says why
  rollback,    // back to `target`, because of `text`; `count` of them so far in the phase
  skipped,     // a sample that could not be read: `text` names it and says why; `count` of them so far in the run
  samples,  // the grid of the prompts lies in `path`, relative to the run's folder; drawn in `seconds`. Without a path: `text` says why
  validation,  // mean loss `value`, `bands` of timesteps, in `seconds`
  finished,    // the last phase is done (`place` may lie behind it); the model lies in `path`
  stopped      // on request, or by what `text` says
};

/// Mean validation loss of the timesteps first..last.
struct LossBand {
  int64_t first = 0, last = 0;
  double loss = 0;
};

struct TrainEvent {
  EventKind kind = EventKind::checkpoint;
  Place place;
  std::string text;
  std::string path;
  Place target;
  int64_t count = 0;
  double value = 0;
  std::vector<LossBand> bands;
  double seconds = 0;
};

/// Calls come from the thread that trains, one at a time. Preparing a cache and loading report through core's calls.
class TrainObserver : public Observer {
 public:
  virtual void on_run(const RunFacts&) {}
  /// A phase begins, or goes on after `done` steps. `facts` is now complete.
  virtual void on_phase(int /*index*/, const PhaseFacts& /*facts*/, int64_t /*done*/) {}
  virtual void on_step_done(const StepRecord&) {}
  virtual void on_event(const TrainEvent&) {}
};

}  // namespace fresco::training
