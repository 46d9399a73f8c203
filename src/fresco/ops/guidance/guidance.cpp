#include "fresco/ops/guidance/guidance.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {

constexpr std::array<Form<GuidanceCall, at::Tensor>, 1> kForms = {
    {{"reference", guidance_reference, always<GuidanceCall>}}};

at::Tensor per_sample(const at::Tensor& values, const at::Tensor& like) {  // [B] -> [B, 1, 1, ...]
  std::vector<int64_t> shape(like.dim(), 1);
  shape[0] = values.size(0);
  return values.view(shape);
}

at::Tensor deviation(const at::Tensor& x) {
  std::vector<int64_t> dimensions;
  for (int64_t d = 1; d < x.dim(); ++d) dimensions.push_back(d);
  return x.std(dimensions, /*unbiased=*/true, /*keepdim=*/true);
}

}  // namespace

// For each result 3 of the guidance, 6 of two deviations, 4 of the rescale.
Cost cost(const GuidanceCall& call) {
  return {.flops = 6.5 * static_cast<double>(call.both.numel()),
          .bytes = 1.5 * bytes_of(call.both),
          .shape = shape_text(call.both.sizes())};
}

at::Tensor guidance(const GuidanceCall& call) { return dispatch("guidance", kForms, call); }

at::Tensor guidance_reference(const GuidanceCall& call) {
  const auto halves = call.both.chunk(2);
  const auto guided = halves[0] + per_sample(call.scale, halves[0]) * (halves[1] - halves[0]);
  const auto rescale = per_sample(call.rescale, halves[0]);
  // A constant output has no deviation to match: the quotient is not a number, and where() drops it when no rescale is asked.
  const auto rescaled = rescale * (guided * (deviation(halves[1]) / deviation(guided))) + (1 - rescale) * guided;
  return at::where(rescale > 0, rescaled, guided);
}

}  // namespace fresco::ops
