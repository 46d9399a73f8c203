#pragma once
// What operators say of themselves to a profiler.
#include <ATen/core/Tensor.h>

#include "fresco/ops/products.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// Bytes of the values of a tensor, wherever they lie; 0 for an undefined one.
inline double bytes_of(const at::Tensor& t) {
  return t.defined() ? static_cast<double>(t.numel()) * static_cast<double>(t.element_size()) : 0;
}

/// "2x320x64x64"
std::string shape_text(at::IntArrayRef shape);

/// The arithmetic that the definition does on values of this type.
Arithmetic arithmetic_of(const at::Tensor& t);
/// The arithmetic of products of such values.
Arithmetic arithmetic_of(const at::Tensor& t, Products products);

/// Of what reads `x` and writes as much, `flops` for each element.
Cost elementwise_cost(const at::Tensor& x, double flops);

}  // namespace fresco::ops
