#pragma once
// The sections that the page is put together from.
#include <array>
#include <string>
#include <vector>

#include "fresco/evaluation/comparison.h"
#include "fresco/evaluation/metrics.h"

namespace fresco::evaluation {

inline constexpr std::array<const char*, 2> kSide = {"a", "b"};  // classes of the style sheet
inline constexpr std::array<const char*, 2> kLetter = {"A", "B"};

/// Which colour is which model.
std::string legend(const Comparison& comparison);

/// One of Drawing::settings as plain text; empty when there is none.
std::string setting(const Measurement& measured, const char* key);

/// "0.345", or nothing.
std::string ratio_text(const Metric& metric);

/// The pictures side by side.
std::string picture_section(const Comparison& comparison);

/// Every metric; the publication's figures where these are its models; settings, machine, method.
std::string table_sections(const Comparison& comparison, const std::vector<Metric>& all);

}  // namespace fresco::evaluation
