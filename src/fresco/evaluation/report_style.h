#pragma once

namespace fresco::evaluation {

/// The page's style sheet: light and dark as the reader's system asks, one column on a phone.
extern const char* const kReportStyle;

}  // namespace fresco::evaluation
