#pragma once
// A profile as Chrome's trace viewer (chrome://tracing) and Perfetto (ui.perfetto.dev) read it.
#include <functional>
#include <string_view>

#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Gives the text of the trace piece by piece: a JSON object in the Trace Event Format (Google, 2016) with complete events ("X"),
/// times in microseconds. A drawing of many pictures has millions of spans, so it is never whole in memory.
void write_trace(const Profiler& profiler, std::string_view title, const std::function<void(std::string_view)>& write);

}  // namespace fresco::ops
