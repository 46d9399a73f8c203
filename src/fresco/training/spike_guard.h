#pragma once
#include <cstdint>
#include <string>

#include "fresco/training/run_checkpoint.h"

namespace fresco::training {

/// Why a step cannot be taken: a loss or gradient that is no number, or a loss beyond `factor` times its running mean (0: any is fine). Empty: it
/// can. A good one goes into the mean, which counts after 50 of them.
std::string judge(RunState& state, double loss, double gradient_norm, double factor);

}  // namespace fresco::training
