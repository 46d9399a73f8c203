#pragma once
// A comparison as files: a page for people, the same figures for programs.
#include <string>

#include "fresco/evaluation/comparison.h"

namespace fresco::evaluation {

/// docs/compare.md describes the keys.
Json report_json(const Comparison& comparison);

/// One HTML page that needs nothing beside it: pictures and plots stand in it, no script, nothing is fetched.
std::string report_html(const Comparison& comparison);

}  // namespace fresco::evaluation
