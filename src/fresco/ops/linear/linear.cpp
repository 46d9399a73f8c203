#include "fresco/ops/linear/linear.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {
constexpr std::array<Form<LinearCall, at::Tensor>, 1> kForms = {{{"reference", linear_reference, always<LinearCall>}}};
}

namespace {
// Weights that a single tensor fills are swapped; a part of a stack is copied into its rows.
void assign(at::Tensor& whole, const at::Tensor& part, int64_t row) {
  if (row == 0 && part.sizes() == whole.sizes()) {
    whole = part;
  } else {
    whole.narrow(0, row, part.size(0)).copy_(part);
  }
}
}  // namespace

void LinearWeights::assign_weight(const at::Tensor& weight, int64_t row) { assign(weight_, weight, row); }
void LinearWeights::assign_bias(const at::Tensor& bias, int64_t row) { assign(bias_, bias, row); }

Cost cost(const LinearCall& call) {
  const auto out = call.weights.weight().size(0), in = call.weights.weight().size(1);
  const double results = static_cast<double>(call.x.numel() / in) * static_cast<double>(out);
  return {.flops = 2 * results * static_cast<double>(in),
          .bytes = bytes_of(call.x) + bytes_of(call.weights.weight()) + bytes_of(call.weights.bias()) +
                   bytes_of(call.residual) + results * static_cast<double>(call.x.element_size()),
          .shape = fmt::format("{} to {}", shape_text(call.x.sizes()), out),
          .arithmetic = arithmetic_of(call.x)};
}

at::Tensor linear(const LinearCall& call) { return dispatch("linear", kForms, call); }

at::Tensor linear_reference(const LinearCall& call) {
  const auto y = at::linear(call.x, call.weights.weight(), call.weights.bias());
  return call.residual.defined() ? y + call.residual : y;
}

}  // namespace fresco::ops
