#pragma once
#include "fresco/sampling/plan.h"

namespace fresco::sampling {

/// For plans that callers made themselves. Errors: InputError naming the row, counted from 1: a number that is not finite, a register that
/// is read before anything stands in it, more history dropped than there is; a plan without rows.
void check_plan(const SamplingPlan& plan);

}  // namespace fresco::sampling
