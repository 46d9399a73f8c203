#pragma once
// The gradient of 3x3 weights in fewer multiplications: with y = A^T [(G g G^T) (B^T d B)] A for every tile, point by point, it is
// G^T [sum over tiles of (A dy A^T) (B^T d B)] G (Winograd 1980; Lavin and Gray 2016): a quarter of the products. Free of libtorch.
#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/outer.h"

namespace fresco::ops::winograd {

/// Where transformed values of some tiles go: [points][panels][tiles / group][width][group].
struct Transformed {
  std::byte* data;
  int64_t width;        // of a panel
  int64_t panel_bytes;  // from panel to panel
  int64_t point_bytes;  // from point to point
};

/// One instruction set's transforms for one kind of products.
struct GradientKernel {
  int64_t side, points;  // of a tile: output pixels along a side, products in all
  const outer::Kernel* products;
  /// One panel (columns from `channel` on) of tiles [tile, tile + count) of a picture, written from row `at` of the panel on; count and `at`
  /// even, but for the last count.
  void (*transform_input)(const gemm::Rows& rows, int64_t channel, int64_t tile, int64_t count, int64_t at,
                          const Transformed& to);
  /// The same of dy [B, out_height, out_width, channels], in `rows` as x.
  void (*transform_output)(const gemm::Rows& rows, int64_t channel, int64_t tile, int64_t count, int64_t at,
                           const Transformed& to);
  /// Sums [points][rows][columns of the products' tile] become weights [rows][9][channels], `columns` of them; added to what is there when
  /// asked.
  void (*gather)(const float* sums, int64_t rows, int64_t columns, bool accumulate, float* weights, int64_t channels);
};

extern const GradientKernel kAvx2Gradient, kAvx512Gradient, kAvx512Bf16Gradient;

struct Gradient {
  gemm::Rows rows;  // the convolution's: side 3, stride 1
  int64_t batch = 0;
  const float* dy = nullptr;  // [B, out_height, out_width, outputs], dense
  int64_t outputs = 0;
  float* weights = nullptr;  // [outputs][9][channels of both inputs], written
};

/// On all threads. Cuts depend on the shape and the number of threads.
void weight_gradient(const GradientKernel& kernel, const Gradient& call);

}  // namespace fresco::ops::winograd
