#include "fresco/ops/cost.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fresco::ops {

std::string shape_text(at::IntArrayRef shape) { return fmt::format("{}", fmt::join(shape.begin(), shape.end(), "x")); }

Arithmetic arithmetic_of(const at::Tensor& t) {
  switch (t.scalar_type()) {
    case at::kBFloat16:
      return Arithmetic::bf16;
    case at::kHalf:
      return Arithmetic::f16;
    default:
      return Arithmetic::f32;
  }
}

Cost elementwise_cost(const at::Tensor& x, double flops) {
  return {.flops = flops * static_cast<double>(x.numel()), .bytes = 2 * bytes_of(x), .shape = shape_text(x.sizes())};
}

Arithmetic arithmetic_of(const at::Tensor& t, Products products) {
  if (products == Products::bf16) return Arithmetic::bf16;
  return products == Products::i8 ? Arithmetic::int8 : arithmetic_of(t);
}

}  // namespace fresco::ops
