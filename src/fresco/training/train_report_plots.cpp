#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/names.h"
#include "fresco/report/format.h"
#include "fresco/report/line_plot.h"
#include "fresco/report/page.h"
#include "fresco/training/train_report_parts.h"

namespace fresco::training {
namespace {

using report::escaped;
using report::PlotLine;
using report::PlotMark;
using report::PlotPoint;

constexpr size_t kColumns = 500;  // of a plot
constexpr double kReach = 0.01;   // of a curve's points: how far the mean around a point goes

double reach_of(size_t points) { return std::max(2.0, kReach * static_cast<double>(points)); }

template <typename Value>
std::vector<PlotPoint> points_of(const std::vector<LoggedSteps>& steps, Value&& value) {
  std::vector<PlotPoint> points;
  points.reserve(steps.size());
  for (const LoggedSteps& each : steps) points.push_back({static_cast<double>(each.place.step), value(each)});
  return points;
}

double loss_of(const LoggedSteps& steps) { return steps.loss; }

// Falls through more than a decade: a straight scale would show its beginning alone.
bool falls_far(const std::vector<PlotPoint>& curve) {
  double least = HUGE_VAL, most = 0;
  for (const PlotPoint& point : curve) {
    if (!std::isfinite(point.y)) continue;
    least = std::min(least, point.y);
    most = std::max(most, point.y);
  }
  return least > 0 && most > 8 * least;
}

std::vector<PlotPoint> validation_points(const RunHistory& history, int phase) {
  std::vector<PlotPoint> points;
  for (const Event& each : history.events) {
    if (each.event.kind != EventKind::validation || each.event.place.phase != phase) continue;
    const PlotPoint point{static_cast<double>(each.event.place.step), each.event.value};
    // After a rollback the same steps come again.
    while (!points.empty() && points.back().x >= point.x) points.pop_back();
    points.push_back(point);
  }
  return points;
}

std::vector<PlotMark> rollback_marks(const RunHistory& history, int phase) {
  std::vector<PlotMark> marks;
  for (const Event& each : history.events) {
    const TrainEvent& event = each.event;
    if (event.kind != EventKind::rollback || event.place.phase != phase) continue;
    marks.push_back({static_cast<double>(event.place.step), "rollback",
                     fmt::format("step {}: {}; back to {}", grouped(event.place.step), event.text,
                                 place_text(history, event.target))});
  }
  return marks;
}

std::string legend(const std::vector<std::pair<const char*, const char*>>& entries) {
  std::string html;
  for (const auto& [classes, words] : entries)
    html += fmt::format(R"(<span class="{}"><i class="key"></i>{}</span>)", classes, words);
  return "<div class=\"legend\">" + html + "</div>";
}

std::string loss_plot(const RunHistory& history, int index) {
  const PhaseHistory& phase = history.phases[static_cast<size_t>(index)];
  const auto raw = points_of(phase.steps, loss_of);
  const auto mean = report::smoothed(raw, reach_of(raw.size()));
  const auto undone = points_of(phase.discarded, loss_of);
  const auto validation = validation_points(history, index);
  report::Plot plot{.label = "Loss of each step, smoothed, and of validation",
                    .first = 0,
                    .last = static_cast<double>(std::max<int64_t>(phase.facts.steps, 1)),
                    .marks = rollback_marks(history, index),
                    .logarithmic = falls_far(mean)};
  // A run that has not got far yet should not be a stroke at the left.
  if (!raw.empty() && raw.back().x < 0.5 * plot.last) plot.last = raw.back().x;
  if (!raw.empty() && raw.size() > 1) plot.first = std::min(raw.front().x, plot.last - 1);
  plot.lines.push_back({.points = report::thinned(undone, kColumns), .classes = "c faint", .outliers = 0.05});
  plot.lines.push_back({.points = report::thinned(raw, kColumns), .classes = "a faint", .outliers = 0.01});
  plot.lines.push_back({.points = report::thinned(mean, kColumns), .classes = "a", .name = "loss"});
  plot.lines.push_back({.points = validation, .classes = "b", .name = "validation", .dots = true});
  const std::string drawing = report::line_plot(plot);
  if (drawing.empty()) return "";
  std::vector<std::pair<const char*, const char*>> entries = {{"a", "loss, smoothed"}, {"a faint", "as it was"}};
  if (!validation.empty()) entries.emplace_back("b", "validation");
  if (!undone.empty()) entries.emplace_back("c faint", "undone by a rollback");
  return legend(entries) + drawing;
}

// ---- validation by timestep ------------------------------------------------------------------------------

std::string band_plot(const RunHistory& history, int index) {
  std::vector<PlotLine> lines;
  std::vector<LossBand> bands;
  for (const Event& each : history.events) {
    const TrainEvent& event = each.event;
    if (event.kind != EventKind::validation || event.place.phase != index) continue;
    if (bands.empty()) bands = event.bands;
    if (event.bands.size() != bands.size()) continue;
    lines.resize(bands.size());
    for (size_t k = 0; k < bands.size(); ++k) {
      auto& points = lines[k].points;
      const auto step = static_cast<double>(event.place.step);
      while (!points.empty() && points.back().x >= step) points.pop_back();
      points.push_back({step, event.bands[k].loss});
    }
  }
  if (lines.size() < 2 || lines[0].points.size() < 2) return "";
  std::string keys;
  for (size_t k = 0; k < lines.size(); ++k) {
    const std::string range = fmt::format("{} to {}", bands[k].first, bands[k].last);
    lines[k].classes = fmt::format("h{}", k * 5 / lines.size());  // five tints, from light to dark
    lines[k].name = "t " + range + ":";
    keys += fmt::format(R"(<span class="{}"><i class="key"></i>{}</span>)", lines[k].classes, range);
  }
  const report::Plot plot{.label = "Validation loss of bands of timesteps",
                          .first = lines[0].points.front().x,
                          .last = lines[0].points.back().x,
                          .lines = lines,
                          .from_zero = true};
  return "<h3>Validation by timestep</h3><div class=\"legend\">" + keys + "</div>" + report::line_plot(plot);
}

// ---- over the whole run ----------------------------------------------------------------------------------

// A curve of all phases, one after the other; nothing joins them, neither a line nor a mean.
struct RunCurve {
  std::vector<PlotPoint> raw, mean;
  std::vector<PlotMark> begins;
};

template <typename Value>
RunCurve run_curve(const RunHistory& history, Value&& value) {
  RunCurve curve;
  double before = 0;
  for (const PhaseHistory& phase : history.phases) {
    if (before > 0 && !phase.steps.empty()) curve.begins.push_back({before, "", phase.facts.name + " begins"});
    auto points = points_of(phase.steps, value);
    for (PlotPoint& point : points) point.x += before;
    before += static_cast<double>(phase.facts.steps);
    const auto add = [&](std::vector<PlotPoint>& whole, const std::vector<PlotPoint>& part) {
      whole.insert(whole.end(), part.begin(), part.end());
      whole.push_back({before, std::nan("")});
    };
    if (points.empty()) continue;
    add(curve.mean, report::thinned(report::smoothed(points, reach_of(points.size())), kColumns));
    add(curve.raw, report::thinned(points, kColumns));
  }
  return curve;
}

template <typename Value>
std::string run_plot(const RunHistory& history, const char* title, const char* words, bool smooth, Value&& value) {
  const RunCurve curve = run_curve(history, value);
  if (curve.raw.empty()) return "";
  report::Plot plot{.label = title, .marks = curve.begins, .from_zero = true};
  plot.last = curve.raw[curve.raw.size() - 2].x;  // the one behind it ends the phase
  plot.first = curve.raw.size() > 2 ? curve.raw.front().x : 0;
  if (smooth) plot.lines.push_back({.points = curve.raw, .classes = "a faint", .outliers = 0.01});
  plot.lines.push_back({.points = smooth ? curve.mean : curve.raw, .classes = "a", .name = words});
  const std::string drawing = report::line_plot(plot);
  return drawing.empty() ? "" : fmt::format("<div><h3>{}</h3>{}</div>", title, drawing);
}

}  // namespace

std::string loss_sections(const RunHistory& history) {
  std::string html;
  for (size_t k = 0; k < history.phases.size(); ++k) {
    const std::string drawing = loss_plot(history, static_cast<int>(k));
    if (drawing.empty()) continue;
    const std::string name = history.phases.size() > 1
                                 ? fmt::format("Loss of phase {}, {}", k + 1, escaped(history.phases[k].facts.name))
                                 : "Loss";
    html += report::section(name, "", drawing + band_plot(history, static_cast<int>(k)));
  }
  return html;
}

std::string curve_section(const RunHistory& history) {
  const double machine = history.sessions.back().facts.flops;
  std::string plots;
  plots += run_plot(history, "Gradient norm", "norm", true, [](const auto& s) { return s.gradient_norm; });
  plots += run_plot(history, "Learning rate", "rate", false, [](const auto& s) { return s.learning_rate; });
  plots +=
      run_plot(history, "Pictures a second", "pictures/s", true, [](const auto& s) { return s.images_per_second(); });
  plots += run_plot(history, "Waiting for data, % of the time", "%", true,
                    [](const auto& s) { return s.seconds > 0 ? 100 * s.wait_seconds / s.seconds : std::nan(""); });
  if (machine > 0 && sum_of(history).flops > 0)
    plots += run_plot(history, "Of the machine's arithmetic, %", "%", true,
                      [&](const auto& s) { return 100 * s.flops_per_second() / machine; });
  if (plots.empty()) return "";
  const char* words =
      history.phases.size() > 1 ? "Steps of all phases, one after the other; dashed where one begins." : "";
  return report::section("The run", words, "<div class=\"curves\">" + plots + "</div>");
}

}  // namespace fresco::training
