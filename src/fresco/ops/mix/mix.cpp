#include "fresco/ops/mix/mix.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

bool fits_fused(const MixCall& call) {
  bool some = false;
  for (const at::Tensor& input : call.inputs) {
    if (input.defined() && !plain_float(input)) return false;
    some = some || input.defined();
  }
  return some;
}

constexpr std::array<Form<MixCall, at::Tensor>, 2> kForms = {{
    {"fused", mix_fused, fits_fused},
    {"reference", mix_reference, always<MixCall>},
}};

// What one sample adds up.
struct Term {
  const float* values;
  double coefficient;
};

// Term by term as the definition does, in float64 that never leaves the first cache.
void add_up(const std::vector<Term>& terms, int64_t begin, int64_t end, float* y) {
  constexpr int64_t kBlock = 512;
  double sums[kBlock];
  for (int64_t at = begin; at < end; at += kBlock) {
    const int64_t n = std::min(kBlock, end - at);
    std::fill(sums, sums + n, 0.0);
    for (const Term& term : terms) {
      for (int64_t i = 0; i < n; ++i) sums[i] += term.values[at + i] * term.coefficient;
    }
    for (int64_t i = 0; i < n; ++i) y[at + i] = static_cast<float>(sums[i]);
  }
}

}  // namespace

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

at::Tensor mix_fused(const MixCall& call) {
  std::vector<at::Tensor> inputs;
  at::Tensor like;
  for (const at::Tensor& input : call.inputs) {
    inputs.push_back(input.defined() ? contiguous(input) : input);
    if (input.defined() && !like.defined()) like = input;
  }
  const int64_t batch = call.coefficients.size(0), size = like.numel() / std::max<int64_t>(batch, 1);
  const auto lines = call.coefficients.accessor<double, 2>();
  auto y = empty(like.sizes(), like.options());
  float* to = y.mutable_data_ptr<float>();
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<Term> terms;
    for (size_t k = 0; k < inputs.size(); ++k) {
      const double coefficient = lines[b][static_cast<int64_t>(k)];
      if (inputs[k].defined() && coefficient != 0)
        terms.push_back({inputs[k].const_data_ptr<float>() + b * size, coefficient});
    }
    parallel_rows(size, 1 << 15, [&](int64_t first, int64_t n) { add_up(terms, first, first + n, to + b * size); });
  }
  return y;
}

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
