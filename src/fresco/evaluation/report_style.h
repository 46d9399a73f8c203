#pragma once

namespace fresco::evaluation {

/// What a comparison's page has beyond report::kPageStyle.
extern const char* const kReportStyle;

}  // namespace fresco::evaluation
