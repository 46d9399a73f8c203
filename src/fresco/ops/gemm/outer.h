#pragma once
// Products of two tall matrices, the first one turned: c [R, C] = a^T b over their common rows. The gradients of weights are this: what came
// out of a layer, pixel by pixel, times what went in. Free of libtorch.
#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/gemm.h"

namespace fresco::ops::outer {

/// Some columns of a matrix packed side by side for the innermost loop: [depth / group][width][group], a width of `rows` for a and `columns`
/// for b.
struct Kernel {
  int64_t rows, columns;  // of the tile that the innermost loop computes
  int64_t group;          // neighbours along the depth that one instruction multiplies
  int64_t bytes_each;     // of a packed element
  /// Packs rows [first, first + count) of all columns of `from`, count even unless they are the last: panel after panel of `width` columns,
  /// panel_bytes apart, with zeros beyond the last column and row. row_room: floats for two rows of `from`.
  void (*pack)(const gemm::Rows& from, int64_t first, int64_t count, int64_t width, std::byte* to, int64_t panel_bytes,
               float* row_room);
  /// One tile, c [rows, columns] at c_stride: depth rows of a panel of a and one of b; of it the first `rows` and `columns` are written.
  void (*multiply)(int64_t depth, const void* a, const void* b, int64_t rows, int64_t columns, bool accumulate,
                   float* c, int64_t c_stride);
};

extern const Kernel kAvx2, kAvx512;  // products in float32
extern const Kernel kAvx512Bf16;     // products in bfloat16, sums in float32

/// Each matrix as the rows of a convolution or a plain product: a.depth() and b.depth() columns.
struct Call {
  gemm::Rows a, b;
  int64_t depth = 0;     // common rows
  float* c = nullptr;    // [a.depth(), b.depth()], written, not added to
  int64_t c_stride = 0;  // floats from row to row
};

/// Computes the whole product on all threads. Cuts depend on the shape alone.
void multiply(const Kernel& kernel, const Call& call);

}  // namespace fresco::ops::outer
