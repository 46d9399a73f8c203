#pragma once

namespace fresco::report {

/// What pages have in common: colours of light and dark as the reader's system asks, cards, tables, plots, one column on a phone.
extern const char* const kPageStyle;

}  // namespace fresco::report
