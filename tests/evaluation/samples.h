#pragma once
#include "fresco/evaluation/comparison.h"

namespace fresco::evaluation {

/// A measurement with made-up figures: every picture takes `calls` steps of `step_seconds` and a second for all else.
Measurement sample_measurement(const std::string& model, int calls, double step_seconds, size_t pictures = 2);

/// Two of them, with these prompts.
Comparison sample_comparison(const std::vector<std::string>& prompts = {"a red ring", "a blue star"});

}  // namespace fresco::evaluation
