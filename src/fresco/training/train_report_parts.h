#pragma once
// The sections that the page is put together from.
#include <string>

#include "fresco/training/run_folder.h"
#include "fresco/training/run_log.h"

namespace fresco::training {

/// What the lines of a history add up to.
struct Sum {
  int64_t steps = 0, images = 0;
  double seconds = 0, wait_seconds = 0, flops = 0;
  uint64_t memory_bytes = 0, gpu_bytes = 0;

  double images_per_second() const { return seconds > 0 ? static_cast<double>(images) / seconds : 0; }
  void add(const Sum& other);
};
Sum sum_of(const std::vector<LoggedSteps>& steps);
/// Of all phases, without what was undone.
Sum sum_of(const RunHistory& history);
/// Spent on steps that were undone or done again.
double lost_seconds(const RunHistory& history);
/// Spent on checkpoints, samples, validation.
double event_seconds(const RunHistory& history);

/// The last event of a kind in a phase (-1: in any); null without one.
const TrainEvent* last_event(const RunHistory& history, EventKind kind, int phase = -1);

/// "8 s", "3 min 20 s", "2 h 5 min"
std::string duration_text(double seconds);
/// "fine-tune, step 1,200"; the step alone when there is one phase.
std::string place_text(const RunHistory& history, const Place& place);

std::string loss_sections(const RunHistory& history);
/// Gradient norm, learning rate, pace, waiting over the whole run.
std::string curve_section(const RunHistory& history);
std::string grid_section(const RunHistory& history, const RunFolder& folder);
std::string phase_section(const RunHistory& history);
std::string event_section(const RunHistory& history);
std::string machine_section(const RunHistory& history);
std::string recipe_section(const RunHistory& history);

}  // namespace fresco::training
