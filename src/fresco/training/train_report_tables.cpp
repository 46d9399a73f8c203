#include <fmt/format.h>

#include <cmath>

#include "fresco/core/names.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"
#include "fresco/training/train_report_parts.h"

namespace fresco::training {
namespace {

using report::escaped;

constexpr size_t kMostRows = 200;

std::string kind_text(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::autoencoder:
      return "autoencoder";
    case PhaseKind::attributes:
      return "attributes";
    default:
      return "diffusion";
  }
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

// Mean over the last twentieth, so that one step's chance does not show.
double late_loss(const std::vector<LoggedSteps>& steps) {
  double sum = 0, count = 0;
  for (size_t k = steps.size() - std::max<size_t>(1, steps.size() / 20); k < steps.size(); ++k) {
    if (!std::isfinite(steps[k].loss)) continue;
    sum += steps[k].loss;
    ++count;
  }
  return count > 0 ? sum / count : std::nan("");
}

std::string loss_text(double loss) { return std::isfinite(loss) ? report::figure(loss) : "none"; }

using Cells = std::vector<std::pair<const char*, std::string>>;  // HTML

Cells phase_cells(const RunHistory& history, size_t index) {
  const PhaseHistory& phase = history.phases[index];
  const Sum sum = sum_of(phase.steps);
  const int64_t done = phase.steps.empty() ? 0 : phase.steps.back().place.step;
  const double machine = history.sessions.back().facts.flops;
  const TrainEvent* validation = last_event(history, EventKind::validation, static_cast<int>(index));
  const bool any = sum.seconds > 0;
  return {
      {"Kind", kind_text(phase.facts.kind)},
      {"Steps", grouped(done) + (done < phase.facts.steps ? " of " + grouped(phase.facts.steps) : "")},
      {"Batch", grouped(phase.facts.batch)},
      {"Pixels", grouped(phase.facts.resolution)},
      {"Samples", phase.facts.samples > 0 ? grouped(phase.facts.samples) : ""},
      {"Parameters trained", phase.facts.parameters > 0 ? report::millions_text(double(phase.facts.parameters)) : ""},
      {"Pictures seen", any ? grouped(sum.images) : ""},
      {"Time", any ? duration_text(sum.seconds) : ""},
      {"Pictures a second", any ? report::figure(sum.images_per_second()) : ""},
      {"Waiting for data", any ? percent(sum.wait_seconds / sum.seconds) : ""},
      {"Of the machine", any && machine > 0 && sum.flops > 0 ? percent(sum.flops / sum.seconds / machine) : ""},
      {"Loss at the end", phase.steps.empty() ? "" : loss_text(late_loss(phase.steps))},
      {"Validation loss", validation == nullptr ? "" : loss_text(validation->value)}};
}

std::string event_words(const RunHistory& history, const TrainEvent& event) {
  switch (event.kind) {
    case EventKind::rollback:
      return fmt::format("{}: back to {}", event.text, place_text(history, event.target));
    case EventKind::paused:
      return "no checkpoint, the one before it was kept: " + event.text;
    case EventKind::skipped:
      return "sample skipped: " + event.text;
    case EventKind::samples:
      return event.path.empty() ? "no pictures: " + event.text : "";
    case EventKind::finished:
      return "finished; the model is in " + event.path;
    case EventKind::stopped:
      return event.text.empty() ? "stopped" : "stopped: " + event.text;
    default:
      return "";
  }
}

std::string table(const std::string& head, const std::string& rows, const char* classes) {
  return fmt::format(R"(<div class="scroll"><table class="{}">{}<tbody>{}</tbody></table></div>)", classes, head, rows);
}

std::string time_text(const std::string& time) {
  // "2026-08-24T17:03:00Z" -> "2026-08-24 17:03"
  return time.size() < 16 ? time : time.substr(0, 10) + " " + time.substr(11, 5);
}

std::string event_row(const std::string& time, const std::string& place, const std::string& words, bool trouble) {
  return fmt::format("<tr{}><td>{}</td><td>{}</td><td>{}</td></tr>\n", trouble ? " class=\"trouble\"" : "",
                     escaped(time_text(time)), escaped(place), escaped(words));
}

}  // namespace

// One column a phase: it reads on a phone where one row a phase would not.
std::string phase_section(const RunHistory& history) {
  if (history.phases.empty()) return "";
  std::vector<Cells> columns;
  std::string head = "<thead><tr><th></th>";
  for (size_t k = 0; k < history.phases.size(); ++k) {
    columns.push_back(phase_cells(history, k));
    head += fmt::format("<th scope=\"col\">{}</th>", escaped(history.phases[k].facts.name));
  }
  std::string rows;
  for (size_t row = 0; row < columns[0].size(); ++row) {
    std::string cells;
    bool any = false;
    for (const Cells& column : columns) {
      cells += "<td>" + column[row].second + "</td>";
      any = any || !column[row].second.empty();
    }
    if (any) rows += fmt::format("<tr><th scope=\"row\">{}</th>{}</tr>\n", columns[0][row].first, cells);
  }
  return report::section("Phases", "", table(head + "</tr></thead>", rows, ""));
}

std::string event_section(const RunHistory& history) {
  std::string rows;
  size_t start = 0, count = 0, left_out = 0;
  int64_t checkpoints = 0;
  const auto add_starts = [&](size_t events) {
    for (; start < history.sessions.size() && history.sessions[start].events_before <= events; ++start) {
      const Session& session = history.sessions[start];
      const std::string lost =
          session.lost_seconds > 1 ? fmt::format(", {} of work done again", duration_text(session.lost_seconds)) : "";
      rows += event_row(session.time, session.from ? place_text(history, *session.from) : "",
                        (session.from ? "went on from the checkpoint" : "started") + lost, false);
    }
  };
  for (size_t k = 0; k < history.events.size(); ++k) {
    const Event& each = history.events[k];
    add_starts(k);
    checkpoints += each.event.kind == EventKind::checkpoint ? 1 : 0;
    const std::string words = event_words(history, each.event);
    if (words.empty()) continue;
    if (++count > kMostRows) {
      ++left_out;
      continue;
    }
    const bool trouble = each.event.kind != EventKind::finished && each.event.kind != EventKind::stopped;
    rows += event_row(each.time, place_text(history, each.event.place), words, trouble);
  }
  add_starts(history.events.size());
  std::string words = checkpoints > 0 ? fmt::format("{} checkpoints were written. Times are UTC.", grouped(checkpoints))
                                      : "Times are UTC.";
  if (left_out > 0) words += fmt::format(" {} more stand in log.jsonl.", grouped(static_cast<int64_t>(left_out)));
  if (history.unreadable > 0) words += fmt::format(" {} lines of the log cannot be read.", grouped(history.unreadable));
  return report::section("What happened", words, table("", rows, "events"));
}

std::string machine_section(const RunHistory& history) {
  const Session& session = history.sessions.back();
  const report::Machine& m = session.machine;
  const Sum sum = sum_of(history);
  std::string facts;
  const auto fact = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts += fmt::format("<dt>{}</dt><dd>{}</dd>", name, escaped(value));
  };
  fact("Processor", m.processor);
  fact("Threads", fmt::format("{} of {}", session.facts.threads, m.processors));
  if (session.facts.processes > 1) fact("Processes", grouped(session.facts.processes));
  fact("Instruction sets", joined(m.instruction_sets));
  if (session.facts.device != "cpu") fact("GPU", m.gpu);
  if (session.facts.flops > 0) fact("Arithmetic it can do", report::giga_text(session.facts.flops) + "FLOP/s");
  fact("Memory", report::bytes_text(static_cast<double>(m.memory_bytes)));
  fact("Memory taken at most", report::bytes_text(static_cast<double>(sum.memory_bytes)));
  if (sum.gpu_bytes > 0) fact("GPU memory at most", report::bytes_text(static_cast<double>(sum.gpu_bytes)));
  fact("System", m.system);
  fact("Program", "fresco " + std::string(version()));
  fact("Checkpoints, samples, validation", duration_text(event_seconds(history)));
  if (lost_seconds(history) > 0) fact("Work done again", duration_text(lost_seconds(history)));
  return report::section("Machine", history.sessions.size() > 1 ? "As it was at the last start." : "",
                         "<dl>" + facts + "</dl>");
}

std::string recipe_section(const RunHistory& history) {
  const RunFacts& facts = history.sessions.back().facts;
  if (facts.recipe.empty()) return "";
  return report::section("Recipe", fmt::format("Seed {}.", facts.seed), "<pre>" + escaped(facts.recipe) + "</pre>");
}

}  // namespace fresco::training
