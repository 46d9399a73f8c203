#include "train_texts.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/report/format.h"
#include "progress_bar.h"

namespace fresco::cli {
namespace {

using training::EventKind;
using training::StepRecord;

constexpr double kKept = 0.98;     // of the mean loss when a step comes in
constexpr size_t kWindow = 100;    // steps that the pace is told from
constexpr int64_t kEachSkip = 10;  // samples that cannot be read are named up to here, then every hundredth

double sum(const std::deque<StepRecord>& steps, double StepRecord::*part) {
  return std::accumulate(steps.begin(), steps.end(), 0.0,
                         [part](double total, const StepRecord& step) { return total + step.*part; });
}

double ratio(double value, double of) { return of > 0 ? value / of : 0; }

std::string plural(int64_t count, const char* word) {
  return fmt::format("{} {}{}", grouped(count), word, count == 1 ? "" : "s");
}

std::string at(const training::Place& place, const training::RunFacts& run) {
  const auto phase = static_cast<size_t>(place.phase);
  const std::string name =
      run.phases.size() > 1 && phase < run.phases.size() ? printable(run.phases[phase].name, 40) + ", " : "";
  return fmt::format("{}step {}", name, grouped(place.step));
}

std::string took(double seconds) { return seconds > 0 ? fmt::format(" ({})", report::seconds_text(seconds)) : ""; }

std::string skipped_text(const training::TrainEvent& event) {
  if (event.count > kEachSkip && event.count % 100 != 0) return "";
  const std::string more = event.count == kEachSkip ? "; from here on every hundredth is told" : "";
  return fmt::format("skipped {} ({} so far{})", printable(event.text, 300), plural(event.count, "sample"), more);
}

}  // namespace

void TrainPace::add(const StepRecord& step) {
  if (std::isfinite(step.loss)) {
    loss_ = kKept * loss_ + (1 - kKept) * step.loss;
    weight_ = kKept * weight_ + (1 - kKept);
  }
  // The first step warms caches up: it counts only while it is alone.
  if (++steps_ == 2) last_.clear();
  last_.push_back(step);
  if (last_.size() > kWindow) last_.pop_front();
}

double TrainPace::images_per_second() const {
  double images = 0;
  for (const StepRecord& step : last_) images += static_cast<double>(step.images);
  return ratio(images, sum(last_, &StepRecord::seconds));
}

double TrainPace::flops_per_second() const {
  return ratio(sum(last_, &StepRecord::flops), sum(last_, &StepRecord::seconds));
}

double TrainPace::seconds_per_step() const {
  return ratio(sum(last_, &StepRecord::seconds), static_cast<double>(last_.size()));
}

std::string run_text(const training::RunFacts& facts) {
  const std::string place = facts.device == "cpu" ? fmt::format("on the CPU with {}", plural(facts.threads, "thread"))
                                                  : "on " + printable(facts.device, 40);
  const std::string processes = facts.processes > 1 ? fmt::format(" in each of {} processes", facts.processes) : "";
  return fmt::format("{}: {}, seed {}, {}{}", printable(facts.name), plural(std::ssize(facts.phases), "phase"),
                     facts.seed, place, processes);
}

std::string phase_text(int index, const training::RunFacts& run, const training::PhaseFacts& facts, int64_t done) {
  std::string text =
      fmt::format("phase {} of {}, {}: {} of {}, {} pixels", index + 1, run.phases.size(), printable(facts.name, 60),
                  plural(facts.steps, "step"), plural(facts.batch, "picture"), facts.resolution);
  if (facts.samples > 0) text += ", from " + plural(facts.samples, "sample");
  if (facts.parameters > 0)
    text += fmt::format(", {} parameters trained", report::millions_text(static_cast<double>(facts.parameters)));
  if (done > 0) text += fmt::format("; going on after step {}", grouped(done));
  return text;
}

std::vector<std::string> step_texts(const training::Place& place, int64_t of, const TrainPace& pace,
                                    double machine_flops) {
  std::vector<std::string> texts = {fmt::format("{}/{}", grouped(place.step), grouped(of)),
                                    "loss " + report::figure(pace.loss())};
  if (place.step < of)
    texts.push_back(duration(pace.seconds_per_step() * static_cast<double>(of - place.step)) + " left");
  texts.push_back(report::figure(pace.images_per_second()) + " images/s");
  if (machine_flops > 0 && pace.flops_per_second() > 0)
    texts.push_back(fmt::format("{:.0f} % of the machine", 100 * pace.flops_per_second() / machine_flops));
  return texts;
}

std::string event_text(const training::TrainEvent& event, const training::RunFacts& run) {
  const std::string place = at(event.place, run), text = printable(event.text, 300), path = printable(event.path, 300);
  switch (event.kind) {
    case EventKind::checkpoint:
      return fmt::format("{}: checkpoint{}", place, took(event.seconds));
    case EventKind::paused:
      return fmt::format("{}: no checkpoint, the one before it is kept: {}", place, text);
    case EventKind::rollback:
      return fmt::format("{}: {}; back to {} ({} so far)", place, text, at(event.target, run),
                         plural(event.count, "rollback"));
    case EventKind::skipped:
      return skipped_text(event);
    case EventKind::samples:
      if (path.empty()) return fmt::format("{}: no samples: {}", place, text);
      return fmt::format("{}: samples in {}{}", place, path, took(event.seconds));
    case EventKind::validation:
      return fmt::format("{}: validation loss {}{}", place, report::figure(event.value), took(event.seconds));
    case EventKind::finished:
      return fmt::format("done: the model is in {}", path);
    case EventKind::stopped:
      return fmt::format("stopped after {}{}{}", place, text.empty() ? "" : ": ", text);
  }
  return "";
}

bool is_trouble(const training::TrainEvent& event) {
  const bool undrawn = event.kind == EventKind::samples && event.path.empty();
  return undrawn || event.kind == EventKind::paused || event.kind == EventKind::rollback ||
         event.kind == EventKind::skipped;
}

}  // namespace fresco::cli
