#include "fresco/ops/linear/linear.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/gradient/record.h"

namespace fresco::ops {
namespace {

template <Isa isa>
bool packed_for(const LinearCall& call) {
  return call.weights.kernels().isa == isa && call.x.is_cpu() && call.x.scalar_type() == at::kFloat &&
         !any_needs_gradient({call.x, call.weights.bias(), call.residual});
}

constexpr std::array<Form<LinearCall, at::Tensor>, 6> kForms = {{
    {"trained", linear_trained, trains},
    {"amx", linear_packed, packed_for<Isa::amx>},
    {"avx512-bf16", linear_packed, packed_for<Isa::avx512_bf16>},
    {"avx512", linear_packed, packed_for<Isa::avx512>},
    {"avx2", linear_packed, packed_for<Isa::avx2>},
    {"reference", linear_reference, always<LinearCall>},
}};

}  // namespace

LinearWeights::LinearWeights(StoredTensor weight, at::Tensor bias, bool gated)
    : weight_(weight, gated ? Layout::gated : Layout::matrix), bias_(std::move(bias)), gated_(gated) {
  if (can_pack(weight)) kernels_ = current_kernels();
}

LinearWeights::LinearWeights(PackedStore weight, std::vector<int64_t> shape, at::Tensor bias, bool gated)
    : weight_(std::move(weight), gated ? Layout::gated : Layout::matrix, std::move(shape)),
      bias_(std::move(bias)),
      kernels_(current_kernels()),
      gated_(gated) {}

// Weights that a single tensor fills are swapped; a part of a stack is copied into its rows.
void LinearWeights::assign_weight(const at::Tensor& weight, int64_t row) {
  if (row == 0 && weight.size(0) == outputs()) return weight_.assign(weight);
  auto whole = weight_.plain().clone();  // it may lie in a file
  whole.narrow(0, row, weight.size(0)).copy_(weight);
  weight_.assign(std::move(whole));
}

void LinearWeights::assign_bias(const at::Tensor& bias, int64_t row) {
  if (row == 0 && bias.sizes() == bias_.sizes()) {
    bias_ = bias;
  } else {
    bias_ = bias_.clone();  // it may lie in a file
    bias_.narrow(0, row, bias.size(0)).copy_(bias);
  }
}

Cost cost(const LinearCall& call) {
  const auto out = call.weights.outputs(), in = call.weights.depth();
  const double results = static_cast<double>(call.x.numel() / in) * static_cast<double>(out);
  const auto element = static_cast<double>(call.x.element_size());
  const double written = call.weights.gated() ? results / 2 : results;
  return {.flops = 2 * results * static_cast<double>(in),
          .bytes = bytes_of(call.x) + static_cast<double>(in * out) * element + bytes_of(call.weights.bias()) +
                   bytes_of(call.residual) + written * element,
          .shape = fmt::format("{} to {}{}", shape_text(call.x.sizes()), out, call.weights.gated() ? " gated" : ""),
          .arithmetic = arithmetic_of(call.x, call.weights.kernels().products)};
}

at::Tensor linear(const LinearCall& call) { return dispatch("linear", kForms, call); }

at::Tensor linear_reference(const LinearCall& call) {
  const auto y = at::linear(call.x, call.weights.weight(call.x.scalar_type()), like(call.weights.bias(), call.x));
  if (call.weights.gated()) return geglu({y});
  return call.residual.defined() ? y + call.residual : y;
}

}  // namespace fresco::ops
