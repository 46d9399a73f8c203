#include "fresco/training/train_report.h"

#include <fmt/format.h>

#include <cmath>

#include "fresco/core/files.h"
#include "fresco/core/names.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"
#include "fresco/training/train_report_parts.h"

namespace fresco::training {
namespace {

using report::escaped;

constexpr const char* kStyle = R"css(
.c { --side: var(--bad); }
.h0 { --side: color-mix(in oklab, var(--a) 35%, var(--card)); } .h1 { --side: color-mix(in oklab, var(--a) 55%, var(--card)); }
.h2 { --side: color-mix(in oklab, var(--a) 75%, var(--card)); } .h3 { --side: var(--a); }
.h4 { --side: color-mix(in oklab, var(--a) 70%, var(--ink)); }
:root { --bad: #b3261e; } @media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; } }
h3 { font-size: 0.95rem; font-weight: 600; margin: 22px 0 0; }
.key { display: inline-block; flex: none; width: 1.4em; height: 3px; border-radius: 2px; background: var(--side); }
.faint .key { opacity: 0.4; }
.mark.rollback { stroke: var(--bad); stroke-width: 2; stroke-dasharray: none; stroke-opacity: 0.7; }
.facts section { padding: 14px 16px; } .facts strong { display: block; font-size: 1.2rem; line-height: 1.35; white-space: nowrap; letter-spacing: -0.01em; }
.facts p { margin: 0; } .tiles.facts { grid-template-columns: repeat(auto-fit, minmax(min(100%, 124px), 1fr)); gap: 12px; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 28px; }
.curves .up, .curves .canvas { height: 150px; } .curves > div { min-width: 0; }
.reel { display: grid; grid-template-columns: repeat(var(--count), 1fr); gap: 12px 3px; margin-top: 14px; }
.reel figure { grid-row: 1; grid-column: 1 / -1; visibility: hidden; }
.reel input:checked + figure { visibility: visible; }
.reel img { display: block; width: auto; min-width: min(100%, 320px); max-width: 100%; height: auto; margin: 0 auto; border-radius: 8px; background: var(--grid); }
.reel figcaption { text-align: center; margin-top: 8px; font-variant-numeric: tabular-nums; }
.reel input { grid-row: 2; appearance: none; margin: 0; height: 26px; cursor: pointer; border-block: 10px solid transparent; border-radius: 0; background: var(--line); background-clip: padding-box; min-width: 0; }
.reel input:hover { background-color: var(--a-mid); } .reel input:checked { background-color: var(--a); border-block-width: 5px; }
.reel input:focus-visible { outline: 2px solid var(--a); outline-offset: 1px; }
.prompts { columns: 2 280px; column-gap: 32px; margin: 14px 0 0; padding-left: 1.6em; font-size: 0.94rem; color: var(--soft); }
.events td { text-align: left; white-space: nowrap; vertical-align: top; padding: 5px 16px 5px 0; } .events td:last-child { white-space: normal; overflow-wrap: anywhere; padding-right: 0; width: 99%; }
.events td:first-child, .events td:nth-child(2) { color: var(--soft); } .trouble td:last-child { color: var(--bad); }
pre { margin: 10px 0 0; overflow-x: auto; font: 0.85rem/1.45 ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; }
@media (max-width: 640px) { .events tr { display: block; padding: 6px 0; border-top: 1px solid var(--grid); } .events td { display: inline-block; border: 0; padding: 0 10px 0 0; } .events td:last-child { display: block; width: auto; } }
)css";

int64_t rollbacks(const RunHistory& history) {
  int64_t count = 0;
  for (const Event& each : history.events) count += each.event.kind == EventKind::rollback ? 1 : 0;
  return count;
}

std::string plural(int64_t count, const char* word) {
  return fmt::format("{} {}{}", grouped(count), word, count == 1 ? "" : "s");
}

// How the run ended, or where it is.
std::string state_text(const RunHistory& history) {
  Place place;
  for (const PhaseHistory& phase : history.phases) {
    if (!phase.steps.empty()) place = phase.steps.back().place;
  }
  const std::string where = place_text(history, place);
  // What was last said counts: a run that was stopped may have gone on.
  const bool settled = history.events.size() > history.sessions.back().events_before;
  const EventKind kind = settled ? history.events.back().event.kind : EventKind::checkpoint;
  if (kind == EventKind::finished) return "finished";
  if (kind == EventKind::stopped) return "stopped after " + where;
  return "under way, at " + where;
}

std::string verdict(const RunHistory& history) {
  const Sum sum = sum_of(history);
  const Session& session = history.sessions.back();
  const std::string processor =
      session.facts.device == "cpu"
          ? fmt::format("{} with {}", session.machine.processor.empty() ? "a CPU" : session.machine.processor,
                        plural(session.facts.threads, "thread"))
      : session.machine.gpu.empty() ? session.facts.device
                                    : session.machine.gpu;
  std::string text = fmt::format("{} seen in {} on {}; {}.", plural(sum.images, "picture"), duration_text(sum.seconds),
                                 processor, state_text(history));
  if (const int64_t count = rollbacks(history); count > 0) text += fmt::format(" {}.", plural(count, "rollback"));
  if (const TrainEvent* skipped = last_event(history, EventKind::skipped))
    text += fmt::format(" {} could not be read.", plural(skipped->count, "sample"));
  return text;
}

std::string header(const RunHistory& history) {
  const Session& first = history.sessions.front();
  return fmt::format(
      "<header><p class=\"eyebrow\">fresco train, {}</p><h1>{}</h1><p class=\"verdict\">{}</p></header>\n",
      escaped(first.time.substr(0, 10)), escaped(first.facts.name.empty() ? "Training" : first.facts.name),
      escaped(verdict(history)));
}

std::string tiles(const RunHistory& history) {
  const Sum sum = sum_of(history);
  const double machine = history.sessions.back().facts.flops;
  std::string html;
  const auto tile = [&](const std::string& value, const char* words) {
    html += fmt::format("<section><strong>{}</strong><p class=\"soft\">{}</p></section>", value, words);
  };
  tile(duration_text(sum.seconds), "of training");
  tile(grouped(sum.images), "pictures seen");
  tile(report::figure(sum.images_per_second()), "pictures a second");
  if (machine > 0 && sum.flops > 0 && sum.seconds > 0)
    tile(fmt::format("{:.0f} %", 100 * sum.flops / sum.seconds / machine), "of the machine");
  if (sum.seconds > 0) tile(fmt::format("{:.1f} %", 100 * sum.wait_seconds / sum.seconds), "waiting for data");
  if (const TrainEvent* validation = last_event(history, EventKind::validation);
      validation && std::isfinite(validation->value))
    tile(report::figure(validation->value), "validation loss");
  tile(report::bytes_text(static_cast<double>(sum.memory_bytes)), "of memory at most");
  return "<div class=\"tiles facts\">" + html + "</div>\n";
}

}  // namespace

std::string train_report(const RunHistory& history, const RunFolder& folder) {
  const std::string body = header(history) + tiles(history) + grid_section(history, folder) + loss_sections(history) +
                           curve_section(history) + phase_section(history) + event_section(history) +
                           machine_section(history) + recipe_section(history) +
                           "<footer class=\"soft\">The same figures for programs: log.jsonl; for TensorBoard: the "
                           "files events.out.tfevents beside it.</footer>\n";
  return report::page(history.sessions.front().facts.name + ": training", kStyle, body);
}

void write_train_report(const RunFolder& folder) {
  write_file(folder.report(), train_report(read_run_log(folder.log()), folder), true);
}

}  // namespace fresco::training
