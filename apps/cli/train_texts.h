#pragma once
// What a training says to people, one line each, and how fast it goes.
#include <deque>
#include <string>
#include <vector>

#include "fresco/training/observer.h"

namespace fresco::cli {

/// Of one phase, from the steps that this program has seen.
class TrainPace {
 public:
  void add(const training::StepRecord& step);

  double loss() const { return weight_ > 0 ? loss_ / weight_ : 0; }  // mean over about the last 50 steps
  double images_per_second() const;                                  // of the last 100 steps, as are all below
  double flops_per_second() const;
  double seconds_per_step() const;

 private:
  int64_t steps_ = 0;
  double loss_ = 0, weight_ = 0;
  std::deque<training::StepRecord> last_;
};

/// "starter: 2 phases, seed 7, on the CPU with 2 threads"
std::string run_text(const training::RunFacts& facts);
/// "phase 2 of 4, fine-tune: 14,000 steps of 16 pictures, 128 pixels, from 14,000 samples, 5.9 M parameters trained"
std::string phase_text(int index, const training::RunFacts& run, const training::PhaseFacts& facts, int64_t done);
/// "1,200/14,000", "loss 0.412", "38.2 images/s", "2 h 5 min left", "41 % of the machine": what matters most first.
std::vector<std::string> step_texts(const training::Place& place, int64_t of, const TrainPace& pace,
                                    double machine_flops);
/// Empty for what need not be said, such as the hundredth sample that cannot be read. `phases` names them.
std::string event_text(const training::TrainEvent& event, const training::RunFacts& run);
/// Whether somebody should look at it: not what goes as planned.
bool is_trouble(const training::TrainEvent& event);

}  // namespace fresco::cli
