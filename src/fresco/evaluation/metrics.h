#pragma once
// Every figure of a comparison, named once for the page, the JSON and the ratios.
#include <optional>
#include <string>
#include <vector>

#include "fresco/evaluation/comparison.h"

namespace fresco::evaluation {

enum class Better { neither, lower, higher };

struct Metric {
  std::string key;    // in report.json
  std::string group;  // heading in the page's table
  std::string title;
  std::string (*text)(double) = nullptr;
  Better better = Better::neither;
  std::array<double, 2> values{};  // A, B

  /// A / B; nothing when B is 0.
  std::optional<double> ratio() const;
  /// 0 or 1 when that side is better by more than kEqual.
  int winner() const;
};

std::vector<Metric> metrics(const Comparison& comparison);

}  // namespace fresco::evaluation
