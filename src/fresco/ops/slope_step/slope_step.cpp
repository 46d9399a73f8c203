#include "fresco/ops/slope_step/slope_step.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

bool fits_fused(const SlopeStepCall& call) {
  return plain_float(call.x) && plain_float(call.clean) && plain_float(call.sigma) && plain_float(call.change);
}

constexpr std::array<Form<SlopeStepCall, at::Tensor>, 2> kForms = {{
    {"fused", slope_step_fused, fits_fused},
    {"reference", slope_step_reference, always<SlopeStepCall>},
}};

}  // namespace

Cost cost(const SlopeStepCall& call) {
  const double elements = static_cast<double>(call.x.numel());
  return {.flops = 4 * elements, .bytes = 3 * bytes_of(call.x), .shape = shape_text(call.x.sizes())};
}

at::Tensor slope_step(const SlopeStepCall& call) { return dispatch("slope_step", kForms, call); }

at::Tensor slope_step_fused(const SlopeStepCall& call) {
  const auto x = contiguous(call.x), clean = contiguous(call.clean);
  const auto sigmas = contiguous(call.sigma), changes = contiguous(call.change);
  auto y = empty(x.sizes(), x.options());
  const int64_t size = x.numel() / std::max<int64_t>(x.size(0), 1);
  for (int64_t b = 0; b < x.size(0); ++b) {
    const float* from = x.const_data_ptr<float>() + b * size;
    const float* towards = clean.const_data_ptr<float>() + b * size;
    float* to = y.mutable_data_ptr<float>() + b * size;
    const float sigma = sigmas.const_data_ptr<float>()[b], change = changes.const_data_ptr<float>()[b];
    parallel_rows(size, 1 << 15, [=](int64_t first, int64_t n) {
      for (int64_t i = first; i < first + n; ++i) to[i] = from[i] + (from[i] - towards[i]) / sigma * change;
    });
  }
  return y;
}

at::Tensor slope_step_reference(const SlopeStepCall& call) {
  std::vector<int64_t> shape(call.x.dim(), 1);
  shape[0] = call.x.size(0);
  return call.x + (call.x - call.clean) / call.sigma.view(shape) * call.change.view(shape);
}

}  // namespace fresco::ops
