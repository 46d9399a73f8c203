#pragma once
#include <string>

#include "fresco/ops/profile_summary.h"

namespace fresco::cli {

/// Tables of at most 100 columns: operators, the slowest layers, stages.
std::string profile_text(const ops::ProfileSummary& profile);

}  // namespace fresco::cli
