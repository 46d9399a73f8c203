#include "fresco/ops/geglu/geglu.h"

#include <ATen/ATen.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"

namespace fresco::ops {
namespace {

// The product lands in the gate's own memory: one large temporary less.
at::Tensor geglu_in_place(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return at::gelu(halves[1]).mul_(halves[0]);
}

constexpr std::array<Form<at::Tensor, at::Tensor>, 2> kForms = {{
    {"simd", geglu_in_place, [](const at::Tensor& x) { return !needs_gradient(x); }},
    {"reference", geglu_reference, always<at::Tensor>},
}};

}  // namespace

at::Tensor geglu(const at::Tensor& x) { return dispatch("geglu", kForms, x); }

at::Tensor geglu_reference(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

}  // namespace fresco::ops
