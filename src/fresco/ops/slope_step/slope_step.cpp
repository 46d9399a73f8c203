#include "fresco/ops/slope_step/slope_step.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {
constexpr std::array<Form<SlopeStepCall, at::Tensor>, 1> kForms = {
    {{"reference", slope_step_reference, always<SlopeStepCall>}}};
}

Cost cost(const SlopeStepCall& call) {
  const double elements = static_cast<double>(call.x.numel());
  return {.flops = 4 * elements, .bytes = 3 * bytes_of(call.x), .shape = shape_text(call.x.sizes())};
}

at::Tensor slope_step(const SlopeStepCall& call) { return dispatch("slope_step", kForms, call); }

at::Tensor slope_step_reference(const SlopeStepCall& call) {
  std::vector<int64_t> shape(call.x.dim(), 1);
  shape[0] = call.x.size(0);
  return call.x + (call.x - call.clean) / call.sigma.view(shape) * call.change.view(shape);
}

}  // namespace fresco::ops
