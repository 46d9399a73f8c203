#include "fresco/training/spike_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fresco::training {
namespace {

constexpr double kMemory = 200;   // steps that the mean looks back on
constexpr int64_t kSettled = 50;  // steps before it is believed

}  // namespace

std::string judge(RunState& state, double loss, double gradient_norm, double factor) {
  if (!std::isfinite(loss)) return fmt::format("the loss is {}", loss);
  if (!std::isfinite(gradient_norm)) return fmt::format("the gradient's norm is {}", gradient_norm);
  if (factor > 0 && state.loss_count >= kSettled && loss > factor * state.loss_mean)
    return fmt::format("the loss {:.4g} is beyond {:g} times its running mean {:.4g}", loss, factor, state.loss_mean);
  ++state.loss_count;
  const double weight = 1 / std::min(static_cast<double>(state.loss_count), kMemory);
  state.loss_mean += weight * (loss - state.loss_mean);
  return {};
}

}  // namespace fresco::training
