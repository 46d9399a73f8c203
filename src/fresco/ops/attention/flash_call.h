#pragma once
// Attention's tensors as the plain memory that its kernels read.
#include <ATen/core/Tensor.h>

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/attention/flash.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops::flash {

/// The tensor, or a copy where elements of a row are not dense.
inline at::Tensor dense_rows(const at::Tensor& x) { return x.stride(2) == 1 ? x : contiguous(x); }

inline Matrix matrix_of(const at::Tensor& x) { return {x.const_data_ptr<float>(), x.stride(0), x.stride(1)}; }

/// What is asked of q, k and v, all of dense rows; without a place for the result.
inline Call call_of(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t heads, bool causal) {
  return {.q = matrix_of(q),
          .k = matrix_of(k),
          .v = matrix_of(v),
          .batch = q.size(0),
          .heads = heads,
          .queries = q.size(1),
          .keys = k.size(1),
          .width = q.size(2) / heads,
          .causal = causal};
}

}  // namespace fresco::ops::flash
