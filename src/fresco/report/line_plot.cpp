#include "fresco/report/line_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/names.h"
#include "fresco/report/format.h"
#include "fresco/report/page.h"

namespace fresco::report {
namespace {

constexpr double kWide = 1000, kHigh = 200;  // units of the drawing, stretched to its place on the page
constexpr size_t kHoverColumns = 120;

// Places in percent, from the upper left.
struct Axes {
  double first = 0, last = 1, low = 0, high = 1;
  bool logarithmic = false;

  double across(double x) const { return last > first ? 100 * (x - first) / (last - first) : 50; }
  double down(double y) const {
    const auto scale = [this](double value) { return logarithmic ? std::log(value) : value; };
    // Outliers stay on the sheet's edge.
    return 100 - 100 * std::clamp((scale(y) - scale(low)) / (scale(high) - scale(low)), -0.02, 1.02);
  }
};

void reach(const PlotLine& line, double& low, double& high) {
  std::vector<double> values;
  for (const PlotPoint& point : line.points) {
    if (std::isfinite(point.y)) values.push_back(point.y);
  }
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  const auto skip = static_cast<size_t>(line.outliers * static_cast<double>(values.size()));
  low = std::min(low, values[std::min(skip, values.size() - 1)]);
  high = std::max(high, values[values.size() - 1 - std::min(skip, values.size() - 1)]);
}

Axes axes_of(const Plot& plot) {
  Axes axes{.first = plot.first, .last = plot.last, .low = HUGE_VAL, .high = -HUGE_VAL};
  for (const PlotLine& line : plot.lines) reach(line, axes.low, axes.high);
  axes.logarithmic = plot.logarithmic && axes.low > 0;
  if (axes.logarithmic) {
    axes.low /= 1.1;
    axes.high *= 1.1;
    return axes;
  }
  if (axes.low > 0 && (plot.from_zero || axes.low < 0.4 * axes.high)) axes.low = 0;
  const double room = axes.high > axes.low ? 0.08 * (axes.high - axes.low) : std::max(0.1 * std::abs(axes.high), 1e-9);
  axes.high += room;
  if (axes.low != 0) axes.low -= room;
  return axes;
}

std::vector<double> ticks(const Axes& axes) {
  std::vector<double> values;
  if (!axes.logarithmic) {
    const double distance = tick_distance(axes.high - axes.low);
    for (double k = std::ceil(axes.low / distance); k * distance <= axes.high; ++k) values.push_back(k * distance);
    return values;
  }
  const bool wide = axes.high / axes.low > 300;  // powers of ten alone
  for (double power = std::pow(10, std::floor(std::log10(axes.low))); power <= axes.high; power *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const bool inside = digit * power >= axes.low && digit * power <= axes.high;
      if (inside && (digit == 1 || !wide)) values.push_back(digit * power);
    }
  }
  return values;
}

// Round numbers: "0.05", "200", "12 k", "1e-05"
std::string tick_text(double value) {
  if (std::abs(value) < 1e-12) return "0";
  if (std::abs(value) >= 1e12) return fmt::format("{:g} T", value / 1e12);
  if (std::abs(value) >= 1e9) return fmt::format("{:g} G", value / 1e9);
  if (std::abs(value) >= 1e6) return fmt::format("{:g} M", value / 1e6);
  if (std::abs(value) >= 1e4) return fmt::format("{:g} k", value / 1e3);
  return fmt::format("{:g}", value);
}

struct Grid {
  std::string lines, words;
};
Grid grid_of(const Axes& axes) {
  Grid grid;
  for (const double value : ticks(axes)) {
    const double y = axes.down(value);
    grid.lines += fmt::format(R"(<line class="grid" x1="0" x2="100%" y1="{0:.2f}%" y2="{0:.2f}%"/>)", y);
    grid.words += fmt::format(R"(<text x="100%" y="{:.2f}%" dy="4" text-anchor="end">{}</text>)", y, tick_text(value));
  }
  return grid;
}

std::string steps_axis(const Axes& axes) {
  const double distance = std::max(1.0, tick_distance(axes.last - axes.first));
  std::string svg;
  for (double x = std::ceil(axes.first / distance) * distance; x <= axes.last; x += distance) {
    const double place = axes.across(x);
    const char* anchor = place > 96 ? "end" : place < 4 ? "start" : "middle";
    svg +=
        fmt::format(R"(<text x="{:.2f}%" y="14" text-anchor="{}">{}</text>)", place, anchor, grouped(std::llround(x)));
  }
  return fmt::format(R"(<svg class="along" aria-hidden="true">{}</svg>)", svg);
}

std::string polylines(const PlotLine& line, const Axes& axes) {
  std::string svg, points;
  const auto close = [&] {
    if (!points.empty()) svg += fmt::format(R"(<polyline class="line {}" points="{}"/>)", line.classes, points);
    points.clear();
  };
  for (const PlotPoint& point : line.points) {
    if (!std::isfinite(point.y)) {
      close();
      continue;
    }
    points += fmt::format("{:.1f},{:.1f} ", kWide / 100 * axes.across(point.x), kHigh / 100 * axes.down(point.y));
  }
  close();
  return svg;
}

std::string dots(const PlotLine& line, const Axes& axes) {
  std::string svg;
  for (const PlotPoint& point : line.points) {
    if (std::isfinite(point.y))
      svg += fmt::format(R"(<circle class="{}" cx="{:.2f}%" cy="{:.2f}%" r="3"/>)", line.classes, axes.across(point.x),
                         axes.down(point.y));
  }
  return svg;
}

std::string marks(const Plot& plot, const Axes& axes) {
  std::string svg;
  for (const PlotMark& mark : plot.marks) {
    svg +=
        fmt::format(R"(<line class="mark {0}" x1="{1:.2f}%" x2="{1:.2f}%" y1="0" y2="100%"><title>{2}</title></line>)",
                    mark.classes, axes.across(mark.x), escaped(mark.title));
  }
  return svg;
}

// The last point at or before x; null without one.
const PlotPoint* last_before(const std::vector<PlotPoint>& points, double x) {
  const auto after = std::upper_bound(points.begin(), points.end(), x,
                                      [](double place, const PlotPoint& point) { return place < point.x; });
  return after == points.begin() ? nullptr : &*std::prev(after);
}

// Columns that nobody sees, with a tip: what the named lines are at there.
std::string tips(const Plot& plot, const Axes& axes) {
  std::string svg;
  const double width = (axes.last - axes.first) / static_cast<double>(kHoverColumns);
  for (size_t k = 0; k < kHoverColumns; ++k) {
    const double x = axes.first + (static_cast<double>(k) + 0.5) * width;
    std::string text;
    for (const PlotLine& line : plot.lines) {
      const PlotPoint* point = line.name.empty() ? nullptr : last_before(line.points, x);
      if (point == nullptr || !std::isfinite(point->y)) continue;
      if (text.empty()) text = fmt::format("step {}", grouped(std::llround(point->x)));
      text += fmt::format(", {} {}", line.name, figure(point->y));
    }
    if (text.empty()) continue;
    svg += fmt::format(R"(<rect class="tip" x="{:.2f}%" width="{:.2f}%" height="100%"><title>{}</title></rect>)",
                       axes.across(x - width / 2), 100.0 / kHoverColumns, escaped(text));
  }
  return svg;
}

}  // namespace

std::string line_plot(const Plot& plot) {
  const bool any = std::any_of(plot.lines.begin(), plot.lines.end(), [](const PlotLine& line) {
    return std::any_of(line.points.begin(), line.points.end(), [](const PlotPoint& p) { return std::isfinite(p.y); });
  });
  if (!any) return "";
  const Axes axes = axes_of(plot);
  const Grid grid = grid_of(axes);
  std::string lines, circles;
  for (const PlotLine& line : plot.lines) {
    lines += polylines(line, axes);
    if (line.dots || line.points.size() == 1) circles += dots(line, axes);
  }
  return fmt::format(
      R"(<div class="plot"><svg class="up" aria-hidden="true">{}</svg><svg class="canvas" role="img" aria-label="{}">{})"
      R"(<svg class="inside" viewBox="0 0 {} {}" preserveAspectRatio="none" width="100%" height="100%">{}</svg>{}{}{}</svg>{}</div>)",
      grid.words, escaped(plot.label), grid.lines, kWide, kHigh, lines, circles, tips(plot, axes), marks(plot, axes),
      steps_axis(axes));
}

std::vector<PlotPoint> smoothed(const std::vector<PlotPoint>& points, double reach) {
  const double kept = reach > 0 ? std::exp(-1 / reach) : 0;
  std::vector<double> sums(points.size(), 0), weights(points.size(), 0);
  // Once forwards with each point's own share, once backwards without it.
  double sum = 0, weight = 0;
  const auto add = [&](size_t k) {
    if (!std::isfinite(points[k].y)) return;
    sum += points[k].y;
    weight += 1;
  };
  for (size_t k = 0; k < points.size(); ++k) {
    sum *= kept;
    weight *= kept;
    add(k);
    sums[k] += sum;
    weights[k] += weight;
  }
  sum = weight = 0;
  for (size_t k = points.size(); k-- > 0;) {
    sum *= kept;
    weight *= kept;
    sums[k] += sum;
    weights[k] += weight;
    add(k);
  }
  std::vector<PlotPoint> means = points;
  for (size_t k = 0; k < points.size(); ++k) {
    if (std::isfinite(points[k].y)) means[k].y = sums[k] / weights[k];
  }
  return means;
}

std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, size_t columns) {
  if (points.size() <= 2 * columns) return points;
  std::vector<PlotPoint> kept;
  for (size_t column = 0; column < columns; ++column) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(points.size() * column / columns);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>(points.size() * (column + 1) / columns);
    const auto broken = std::find_if(begin, end, [](const PlotPoint& p) { return !std::isfinite(p.y); });
    if (broken != end) {
      kept.push_back(*broken);
      continue;
    }
    auto [least, most] = std::minmax_element(begin, end, [](const auto& a, const auto& b) { return a.y < b.y; });
    if (most < least) std::swap(least, most);
    kept.push_back(*least);
    if (most != least) kept.push_back(*most);
  }
  return kept;
}

}  // namespace fresco::report
