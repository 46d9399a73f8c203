#include "fresco/ops/mix/mix.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {
constexpr std::array<Form<MixCall, at::Tensor>, 1> kForms = {{{"reference", mix_reference, always<MixCall>}}};
}

Cost cost(const MixCall& call) {
  Cost cost;
  double result = 0;
  for (size_t k = 0; k < call.inputs.size(); ++k) {
    const at::Tensor& input = call.inputs[k];
    if (!input.defined() || !call.coefficients.select(1, static_cast<int64_t>(k)).ne(0).any().item<bool>()) continue;
    cost.flops += 2 * static_cast<double>(input.numel());
    cost.bytes += bytes_of(input);
    cost.shape = shape_text(input.sizes());
    result = bytes_of(input);
  }
  cost.bytes += result;
  return cost;
}

at::Tensor mix(const MixCall& call) { return dispatch("mix", kForms, call); }

at::Tensor mix_reference(const MixCall& call) {
  at::Tensor sum;
  at::ScalarType type = at::kFloat;
  for (size_t k = 0; k < call.inputs.size(); ++k) {
    const at::Tensor& input = call.inputs[k];
    const auto column = call.coefficients.select(1, static_cast<int64_t>(k));
    // A register that no sample reads may hold anything, NaN included.
    if (!input.defined() || !column.ne(0).any().item<bool>()) continue;
    std::vector<int64_t> shape(input.dim(), 1);
    shape[0] = column.size(0);
    const auto term = input.to(at::kDouble) * column.to(input.device()).view(shape);
    if (!sum.defined()) type = input.scalar_type();
    sum = sum.defined() ? sum + term : term;
  }
  if (sum.defined()) return sum.to(type);
  for (const at::Tensor& input : call.inputs) {
    if (input.defined()) return at::zeros_like(input);
  }
  return sum;
}

}  // namespace fresco::ops
