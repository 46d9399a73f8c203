#pragma once
// The record of a run: log.jsonl, one JSON object a line, described in docs/formats.md. Free of libtorch.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fresco/core/append_file.h"
#include "fresco/report/machine.h"
#include "fresco/training/observer.h"

namespace fresco::training {

/// Several steps in one line: from the one after the line before up to `place`. Means where nothing else is said.
struct LoggedSteps {
  Place place;
  int64_t steps = 0;
  double loss = 0;  // NaN where a loss was none
  double gradient_norm = 0;
  double learning_rate = 0;                  // of the last step
  std::optional<double> decay;               // of the last step
  int64_t images = 0;                        // in all
  double seconds = 0;                        // in all
  double wait_seconds = 0;                   // in all
  double flops = 0;                          // in all; 0: not counted
  uint64_t memory_bytes = 0, gpu_bytes = 0;  // largest so far

  double images_per_second() const { return seconds > 0 ? static_cast<double>(images) / seconds : 0; }
  double flops_per_second() const { return seconds > 0 ? flops / seconds : 0; }
};

/// Each record is handed to the system as it is added. Errors of all: ResourceError, such as a full disk; the file stays whole.
class RunLog {
 public:
  /// Goes on with `file`, or begins it. What it says beyond `from` (everything, without) is dropped, except that the program was started;
  /// and so are lines that cannot be read, such as the last one of a program that was killed. Errors: InputError, ResourceError.
  RunLog(const std::filesystem::path& file, std::optional<Place> from);

  void add(const RunFacts& facts);
  void add(int index, const PhaseFacts& facts, int64_t done);
  void add(const LoggedSteps& steps, double machine_flops);
  void add(const TrainEvent& event);
  void sync() { file_.sync(); }

 private:
  RunLog(const std::filesystem::path& file, std::optional<Place> from, double lost);
  std::optional<Place> from_;
  double lost_seconds_;  // of steps that were dropped
  AppendFile file_;
};

struct Event {
  TrainEvent event;
  std::string time;  // "2026-08-24T17:03:00Z"
};

/// One start of the program.
struct Session {
  RunFacts facts;
  report::Machine machine;
  std::string time;
  std::optional<Place> from;  // the checkpoint it went on from
  double lost_seconds = 0;    // spent on steps beyond it, which were done again
  size_t events_before = 0;   // of the history's
};

struct PhaseHistory {
  PhaseFacts facts;
  std::vector<LoggedSteps> steps;      // in the order of their steps
  std::vector<LoggedSteps> discarded;  // undone by rollbacks
  bool begun = false;
};

struct RunHistory {
  std::vector<Session> sessions;
  std::vector<PhaseHistory> phases;  // of the recipe, begun or not
  std::vector<Event> events;
  int64_t unreadable = 0;  // lines
};

/// Lines that cannot be read are counted; kinds that are not known are passed over.
/// Errors: InputError when the file cannot be opened, FormatError when no line says what ran.
RunHistory read_run_log(const std::filesystem::path& file);

std::string_view name(EventKind kind);

}  // namespace fresco::training
