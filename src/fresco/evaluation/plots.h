#pragma once
// The page's drawings as inline SVG. Lengths along the page are percentages, so that bars and lines follow the window's width while
// text, strokes and dots keep their size.
#include <string>

#include "fresco/evaluation/comparison.h"
#include "fresco/evaluation/metrics.h"

namespace fresco::evaluation {

/// One bar a side, as long as its value.
std::string bar_plot(const Metric& metric);

/// What a picture's seconds are made of, one bar a side, with a dot for every picture below it.
std::string stage_plot(const Comparison& comparison);

/// Seconds of each U-Net call of a picture: the median over all pictures, and a band from p10 to p90.
std::string step_plot(const Comparison& comparison);

}  // namespace fresco::evaluation
