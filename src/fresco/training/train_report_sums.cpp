#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/training/train_report_parts.h"

namespace fresco::training {

void Sum::add(const Sum& other) {
  steps += other.steps;
  images += other.images;
  seconds += other.seconds;
  wait_seconds += other.wait_seconds;
  flops += other.flops;
  memory_bytes = std::max(memory_bytes, other.memory_bytes);
  gpu_bytes = std::max(gpu_bytes, other.gpu_bytes);
}

Sum sum_of(const std::vector<LoggedSteps>& steps) {
  Sum sum;
  for (const LoggedSteps& each : steps) {
    sum.add({each.steps, each.images, each.seconds, each.wait_seconds, each.flops, each.memory_bytes, each.gpu_bytes});
  }
  return sum;
}

Sum sum_of(const RunHistory& history) {
  Sum sum;
  for (const PhaseHistory& phase : history.phases) sum.add(sum_of(phase.steps));
  return sum;
}

double lost_seconds(const RunHistory& history) {
  double seconds = 0;
  for (const Session& session : history.sessions) seconds += session.lost_seconds;
  for (const PhaseHistory& phase : history.phases) seconds += sum_of(phase.discarded).seconds;
  return seconds;
}

double event_seconds(const RunHistory& history) {
  double seconds = 0;
  for (const Event& each : history.events) seconds += each.event.seconds;
  return seconds;
}

const TrainEvent* last_event(const RunHistory& history, EventKind kind, int phase) {
  for (auto each = history.events.rbegin(); each != history.events.rend(); ++each) {
    if (each->event.kind == kind && (phase < 0 || each->event.place.phase == phase)) return &each->event;
  }
  return nullptr;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 48 * 3600) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} days {} h", whole / 86400, whole / 3600 % 24);
}

std::string place_text(const RunHistory& history, const Place& place) {
  const auto phase = static_cast<size_t>(place.phase);
  if (phase > 0 && phase == history.phases.size()) return "the end";
  const std::string step = "step " + grouped(place.step);
  return history.phases.size() > 1 && phase < history.phases.size() ? history.phases[phase].facts.name + ", " + step
                                                                    : step;
}

}  // namespace fresco::training
