#pragma once
// Lines over steps as inline SVG. Lengths along the page are percentages, so that lines follow the window's width while text, strokes and
// dots keep their size.
#include <string>
#include <vector>

namespace fresco::report {

struct PlotPoint {
  double x = 0, y = 0;
};

/// Points by rising x. One whose y is not finite breaks the line.
struct PlotLine {
  std::vector<PlotPoint> points;
  std::string classes;  // beside "line": a side of the style sheet, "faint", "undone"
  std::string name;     // for the reader who points at it; empty: not told
  bool dots = false;
  double outliers = 0;  // share of the largest and smallest values that the axis need not reach
};

/// A line across, such as where a phase begins. `title` is plain text.
struct PlotMark {
  double x = 0;
  std::string classes;
  std::string title;
};

struct Plot {
  std::string label;  // what it shows, plain text
  double first = 0, last = 1;
  std::vector<PlotLine> lines;
  std::vector<PlotMark> marks;
  bool from_zero = false;
  bool logarithmic = false;  // where all values are positive
};

/// Empty when no line has a point.
std::string line_plot(const Plot& plot);

/// The mean around each point, neighbours weighing exp(-distance / reach) with distances counted in points. Others than finite ones do not
/// count, and stay as they are.
std::vector<PlotPoint> smoothed(const std::vector<PlotPoint>& points, double reach);

/// At most about 2 * `columns` points that look the same: the least and the largest of each of so many groups, in their order.
std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, size_t columns);

}  // namespace fresco::report
