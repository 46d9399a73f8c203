#include "fresco/ops/geglu/geglu.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"

namespace fresco::ops {
namespace {

// The product lands in the gate's own memory: one large temporary less.
at::Tensor geglu_in_place(const GegluCall& call) {
  const auto halves = call.x.chunk(2, -1);
  return at::gelu(halves[1]).mul_(halves[0]);
}

constexpr std::array<Form<GegluCall, at::Tensor>, 2> kForms = {{
    {"simd", geglu_in_place, [](const GegluCall& call) { return !needs_gradient(call.x); }},
    {"reference", geglu_reference, always<GegluCall>},
}};

}  // namespace

// gelu 5, its error function counted as one, and the product.
Cost cost(const GegluCall& call) {
  const double results = static_cast<double>(call.x.numel()) / 2;
  return {.flops = 6 * results, .bytes = 1.5 * bytes_of(call.x), .shape = shape_text(call.x.sizes())};
}

at::Tensor geglu(const GegluCall& call) { return dispatch("geglu", kForms, call); }

at::Tensor geglu_reference(const GegluCall& call) {
  const auto halves = call.x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

}  // namespace fresco::ops
