#include "fresco/evaluation/plots.h"

#include <fmt/format.h>

#include <algorithm>

#include "fresco/evaluation/report_parts.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::evaluation {

using report::escaped;
using report::seconds_text;
using report::tick_distance;
namespace {

double share(double value, double most) { return most > 0 ? 100 * value / most : 0; }

std::string bar(double from, double width, const std::string& classes, const std::string& title) {
  return fmt::format(R"(<rect x="{:.2f}%" width="{:.2f}%" height="100%" class="{}"><title>{}</title></rect>)", from,
                     width, classes, escaped(title));
}

struct Stage {
  const char* name;
  const char* classes;
  double seconds;
};

std::array<Stage, 3> stages_of(const Summary& s) {
  return {{{"text", "text", s.text.median},
           {"denoising", "denoise", s.denoise.median},
           {"decoding", "decode", s.decode.median}}};
}

std::string dots(const Contestant& side, double most) {
  if (side.measured.runs.size() < 2) return "";
  std::string circles;
  for (const RunTimes& run : side.measured.runs) {
    circles += fmt::format(R"(<circle cx="{:.2f}%" cy="50%" r="3.5"><title>picture {}: {}</title></circle>)",
                           share(run.seconds, most), run.picture + 1, seconds_text(run.seconds));
  }
  return fmt::format(R"(<svg class="dots" role="img" aria-label="each picture's seconds">{}</svg>)", circles);
}

std::string stage_bars(const Contestant& side, const char* letter, double most) {
  std::string bars, words;
  double from = 0;
  for (const Stage& stage : stages_of(side.summary)) {
    const std::string text = fmt::format("{} {}", stage.name, seconds_text(stage.seconds));
    bars += bar(share(from, most), share(stage.seconds, most), stage.classes, text);
    words += fmt::format(R"(<span><i class="{}"></i>{}</span>)", stage.classes, text);
    from += stage.seconds;
  }
  const std::string total = seconds_text(side.summary.picture.median);
  return fmt::format(R"(<div class="name"><b class="chip">{}</b><span>{}</span><strong>{}</strong></div>)"
                     R"(<svg class="bar" role="img" aria-label="{}">{}</svg>{}<p class="parts">{}</p>)",
                     letter, escaped(side.label), total, escaped(fmt::format("{}: {} a picture", side.label, total)),
                     bars, dots(side, most), words);
}

// ---- steps -------------------------------------------------------------------------------------------

constexpr double kWide = 1000, kHigh = 200;  // units of the drawing, stretched to its place on the page

// Column k: every run's seconds for call k.
std::vector<std::vector<double>> by_step(const Measurement& measured) {
  std::vector<std::vector<double>> columns;
  for (const RunTimes& run : measured.runs) {
    columns.resize(std::max(columns.size(), run.steps.size()));
    for (size_t k = 0; k < run.steps.size(); ++k) columns[k].push_back(run.steps[k]);
  }
  return columns;
}

struct Axes {
  double calls = 1, seconds = 1;
  // A call's value stands over its whole width, so that a single one is a line too.
  std::string point(double call, double value) const {
    return fmt::format("{:.1f},{:.1f} ", kWide * call / calls, kHigh - kHigh * value / seconds);
  }
};

std::string line(const std::vector<std::vector<double>>& columns, double q, const Axes& axes) {
  std::string points;
  for (size_t k = 0; k < columns.size(); ++k) {
    const double value = quantile(columns[k], q);
    points += axes.point(static_cast<double>(k), value) + axes.point(static_cast<double>(k + 1), value);
  }
  return points;
}

std::string reversed_line(const std::vector<std::vector<double>>& columns, double q, const Axes& axes) {
  std::string points;
  for (size_t k = columns.size(); k-- > 0;) {
    const double value = quantile(columns[k], q);
    points += axes.point(static_cast<double>(k + 1), value) + axes.point(static_cast<double>(k), value);
  }
  return points;
}

std::string side_lines(const std::vector<std::vector<double>>& columns, const Axes& axes, const char* side) {
  std::string svg;
  if (!columns.empty() && columns[0].size() > 2) {
    svg += fmt::format(R"(<polygon class="band {}" points="{}{}"/>)", side, line(columns, 0.1, axes),
                       reversed_line(columns, 0.9, axes));
  }
  return svg + fmt::format(R"(<polyline class="line {}" points="{}"/>)", side, line(columns, 0.5, axes));
}

// Round numbers: "20 ms", "0.5 s", "2 s"
std::string tick_text(double seconds) {
  return seconds < 0.0999 ? fmt::format("{:g} ms", seconds * 1e3) : fmt::format("{:g} s", seconds);
}

// Lines behind the data, words to its left.
struct Axis {
  std::string lines, words;
};

Axis seconds_axis(const Axes& axes) {
  Axis axis;
  const double tick = tick_distance(axes.seconds);
  for (int k = 0; k * tick <= axes.seconds; ++k) {
    const double y = 100 - share(k * tick, axes.seconds);
    axis.lines += fmt::format(R"(<line class="grid" x1="0" x2="100%" y1="{0:.2f}%" y2="{0:.2f}%"/>)", y);
    if (k > 0)
      axis.words +=
          fmt::format(R"(<text x="100%" y="{:.2f}%" dy="4" text-anchor="end">{}</text>)", y, tick_text(k * tick));
  }
  return axis;
}

std::string calls_axis(const Axes& axes) {
  const auto tick = static_cast<int>(std::max(1.0, tick_distance(axes.calls / 2)));
  std::string svg;
  for (int call = tick == 1 ? 1 : 0; call <= static_cast<int>(axes.calls); call += tick) {
    const int shown = std::max(call, 1);
    const double x = share(shown - 0.5, axes.calls);
    const char* anchor = x > 97 ? "end" : x < 3 ? "start" : "middle";
    svg += fmt::format(R"(<text x="{:.2f}%" y="14" text-anchor="{}">{}</text>)", x, anchor, shown);
  }
  return fmt::format(R"(<svg class="along" aria-hidden="true">{}</svg>)", svg);
}

}  // namespace

std::string bar_plot(const Metric& metric) {
  const double most = std::max(metric.values[0], metric.values[1]);
  std::string html;
  for (size_t k = 0; k < 2; ++k) {
    const std::string text = metric.text(metric.values[k]);
    html += fmt::format(
        R"(<div class="{} row"><b class="chip">{}</b><svg class="thin bar" role="img" aria-label="{}">{}</svg><strong>{}</strong></div>)",
        kSide[k], kLetter[k], escaped(fmt::format("{}, {}: {}", metric.title, kLetter[k], text)),
        bar(0, share(metric.values[k], most), "denoise", text), text);
  }
  return html;
}

std::string stage_plot(const Comparison& comparison) {
  double most = 0;
  for (const Contestant& side : comparison.sides) most = std::max(most, side.summary.picture.most);
  most *= 1.01;  // room for half a dot
  std::string html;
  for (size_t k = 0; k < 2; ++k) {
    const Contestant& side = comparison.sides[k];
    html += fmt::format(R"(<div class="{} stages">{}</div>)", kSide[k], stage_bars(side, kLetter[k], most));
  }
  return html;
}

std::string step_plot(const Comparison& comparison) {
  Axes axes;
  std::array<std::vector<std::vector<double>>, 2> columns;
  double most = 0;
  for (size_t k = 0; k < 2; ++k) {
    columns[k] = by_step(comparison.sides[k].measured);
    axes.calls = std::max(axes.calls, static_cast<double>(columns[k].size()));
    for (const auto& column : columns[k]) most = std::max(most, quantile(column, 0.9));
  }
  if (most <= 0) return "";
  axes.seconds = most * 1.15;
  const std::string label = fmt::format("Seconds of each U-Net call: A about {}, B about {}",
                                        seconds_text(comparison.sides[0].summary.step.median),
                                        seconds_text(comparison.sides[1].summary.step.median));
  const Axis seconds = seconds_axis(axes);
  const std::string lines = side_lines(columns[0], axes, kSide[0]) + side_lines(columns[1], axes, kSide[1]);
  return fmt::format(
      R"(<div class="plot"><svg class="up" aria-hidden="true">{}</svg><svg class="canvas" role="img" aria-label="{}">{})"
      R"(<svg viewBox="0 0 {} {}" preserveAspectRatio="none" width="100%" height="100%">{}</svg></svg>{}</div>)",
      seconds.words, escaped(label), seconds.lines, kWide, kHigh, lines, calls_axis(axes));
}

}  // namespace fresco::evaluation
