#pragma once
// Writes down what a training tells: log.jsonl, TensorBoard's event file and, when it ends, report.html in the run's folder. Free of libtorch.
#include <exception>
#include <functional>
#include <optional>

#include "fresco/training/event_file.h"
#include "fresco/training/run_folder.h"
#include "fresco/training/run_log.h"

namespace fresco::training {

/// Passes everything on to `next`. What cannot be written for want of space or the like is warned of there, once until it succeeds again,
/// and never ends a training.
class RunRecorder : public TrainObserver {
 public:
  /// A run that begins, or goes on from a checkpoint. A line is written every `log_every` steps (0: none), and for a phase's first and last.
  /// The folder exists. Errors: InputError, ResourceError.
  RunRecorder(RunFolder folder, std::optional<Place> from, int64_t log_every, TrainObserver& next);

  void on_run(const RunFacts& facts) override;
  void on_phase(int index, const PhaseFacts& facts, int64_t done) override;
  void on_step_done(const StepRecord& step) override;
  void on_event(const TrainEvent& event) override;

  void on_stage_start(std::string_view name) override { next_.on_stage_start(name); }
  void on_stage(std::string_view name, double seconds) override { next_.on_stage(name, seconds); }
  void on_transfer(const Transfer& transfer) override { next_.on_transfer(transfer); }
  void on_step(const Step& step) override { next_.on_step(step); }
  void on_warning(std::string_view text) override { next_.on_warning(text); }
  bool cancelled() const override { return next_.cancelled(); }

 private:
  void attempt(const std::function<void()>& write);
  /// TensorBoard counts the steps of all phases.
  int64_t whole_step(const Place& place) const;
  void show(const LoggedSteps& steps);
  void show(const TrainEvent& event);

  RunFolder folder_;
  std::optional<Place> from_;
  int64_t log_every_;
  TrainObserver& next_;
  RunLog log_;
  std::optional<EventFile> events_;
  RunFacts facts_;
  LoggedSteps window_;  // sums since the last line
  bool failing_ = false;
};

}  // namespace fresco::training
