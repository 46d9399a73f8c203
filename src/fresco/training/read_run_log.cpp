#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "fresco/core/error.h"
#include "fresco/training/run_log_lines.h"

namespace fresco::training {
namespace {

report::Machine machine_of(const Json& line) {
  const auto text = [&](const char* key) { return line.value(key, std::string()); };
  return {.processor = text("processor"),
          .processors = line.value("processors", 0),
          .instruction_sets = line.value("instruction_sets", std::vector<std::string>()),
          .memory_bytes = line.value("memory_bytes", uint64_t{0}),
          .gpu = text("gpu"),
          .system = text("system"),
          .load = line.value("load", 0.0)};
}

void add_session(RunHistory& history, const Json& line) {
  Session session{.facts = run_facts(line),
                  .machine = machine_of(line.at("machine")),
                  .time = line.at("time"),
                  .lost_seconds = line.value("lost_seconds", 0.0),
                  .events_before = history.events.size()};
  if (line.contains("from")) session.from = place_of(line["from"]);
  history.phases.resize(session.facts.phases.size());
  for (size_t k = 0; k < history.phases.size(); ++k) {
    if (!history.phases[k].begun) history.phases[k].facts = session.facts.phases[k];
  }
  history.sessions.push_back(std::move(session));
}

// Steps after the target are undone, in its phase and in those after it.
void roll_back(RunHistory& history, const Place& target) {
  for (PhaseHistory& phase : history.phases) {
    const auto first = std::stable_partition(phase.steps.begin(), phase.steps.end(),
                                             [&](const LoggedSteps& steps) { return steps.place <= target; });
    phase.discarded.insert(phase.discarded.end(), first, phase.steps.end());
    phase.steps.erase(first, phase.steps.end());
  }
}

void add_line(RunHistory& history, const Json& line) {
  const std::string kind = line.at("kind");
  if (kind == "run") return add_session(history, line);
  // Before any session there are no phases: at() throws, and the line counts as unreadable.
  const auto phase_at = [&](int index) -> PhaseHistory& { return history.phases.at(static_cast<size_t>(index)); };
  if (kind == "phase") {
    PhaseHistory& phase = phase_at(line.at("phase"));
    phase.facts = phase_facts(line);
    phase.begun = true;
  } else if (kind == "step") {
    phase_at(line.at("phase")).steps.push_back(logged_steps(line));
  } else if (const auto event = train_event(line)) {
    if (event->place.phase != static_cast<int>(history.phases.size())) phase_at(event->place.phase);
    if (event->kind == EventKind::rollback) roll_back(history, event->target);
    history.events.push_back({*event, line.at("time")});
  }
}

}  // namespace

RunHistory read_run_log(const std::filesystem::path& file) {
  std::ifstream lines(file);
  if (!lines) throw InputError(file.string(), std::string("cannot read: ") + std::strerror(errno));
  RunHistory history;
  for (std::string text; std::getline(lines, text);) {
    try {
      add_line(history, parse_json(text, file.string()));
    } catch (const FormatError&) {
      ++history.unreadable;
    } catch (const Json::exception&) {
      ++history.unreadable;
    } catch (const std::out_of_range&) {
      ++history.unreadable;
    }
  }
  if (history.sessions.empty()) throw FormatError(file.string(), "no line says what ran: not the log of a training");
  return history;
}

}  // namespace fresco::training
