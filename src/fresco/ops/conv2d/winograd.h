#pragma once
// 3x3 convolutions with stride 1 in fewer multiplications (Winograd 1980; Lavin and Gray 2016): squares of m x m output pixels at a time,
// each from (m + 2) x (m + 2) products instead of 9 m x m. Free of libtorch.
#include <cstddef>
#include <cstdint>

#include "fresco/ops/gemm/gemm.h"

namespace fresco::ops::winograd {

/// One convolution: rows.side 3, rows.stride 1, any padding; weights keep their nine values and are transformed on the way:
/// [outputs / panel][channels][9][panel] as f32 or f16.
struct Call {
  gemm::Rows rows;
  int64_t batch = 0;
  gemm::Packed weights;  // depth counts channels of both inputs
  gemm::Epilogue epilogue;
  float* out = nullptr;  // [B, out_height, out_width, outputs]
  int64_t out_stride = 0;
};

/// A share of the work: tiles [tile, tile + tiles) of all samples together, panels [panel, panel + panels).
struct Block {
  int64_t tile, tiles, panel, panels;
};

/// One instruction set's code for one tile size and one kind of products.
struct Kernel {
  int64_t side;            // m: output pixels of a tile along one side
  int64_t panel;           // columns of a panel
  int64_t tiles, columns;  // most of a block
  size_t scratch_bytes;    // of a block, aligned to 64
  size_t element_bytes;    // of transformed weights
  /// Transforms channels [first, first + count) of a panel's weights into u [side + 2)^2][channels][panel], whole channels' room.
  void (*transform_weights)(const gemm::Packed& weights, int64_t panel, int64_t first, int64_t count, void* u);
  /// u: transformed weights of the block's panels one after the other, or null: transformed on the way.
  void (*convolve)(const Call& call, const Block& block, const void* u, std::byte* scratch);
};

extern const Kernel kAvx2Float4x4;
extern const Kernel kAvx512Float4x4;
extern const Kernel kAvx512Bf16Of4x4;
extern const Kernel kAvx512Bf16Of2x2;

/// Tiles of one sample.
inline int64_t tiles_of(const gemm::Rows& rows, int64_t side) {
  return ((rows.out_height + side - 1) / side) * ((rows.out_width + side - 1) / side);
}

}  // namespace fresco::ops::winograd
