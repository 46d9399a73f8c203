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

/// Which rows and columns of output pixels: 0 and 0, but for doubled pictures.
struct Phase {
  int64_t y = 0, x = 0;
};

/// A share of the work: tiles [tile, tile + tiles) of all samples together, panels [panel, panel + panels), of one phase.
struct Block {
  int64_t tile, tiles, panel, panels;
  Phase phase;
};

/// One instruction set's code for one tile size and one kind of products.
struct Kernel {
  int64_t side;            // m: output pixels of a tile along one side
  int64_t points;          // products of a tile along one side
  int64_t scale;           // 2: the picture is read as if doubled to the nearest pixel, and convolved in 2 x 2 phases
  int64_t panel;           // columns of a panel
  int64_t tiles, columns;  // most of a block
  int64_t depth;           // channels of a part: weights are transformed and multiplied part by part
  size_t scratch_bytes;    // of a block, aligned to 64
  size_t part_bytes;       // of a panel's transformed weights
  /// Transforms one part of a panel's weights; u: those of the whole panel, part by part.
  void (*transform_weights)(const gemm::Packed& weights, const Phase& phase, int64_t panel, int64_t part, void* u);
  /// u: transformed weights of the block's panels one after the other, or null: transformed on the way.
  void (*convolve)(const Call& call, const Block& block, const void* u, std::byte* scratch);
};

extern const Kernel kAvx2Float4x4, kAvx2Float4x4Doubled;
extern const Kernel kAvx512Float4x4, kAvx512Float4x4Doubled;
extern const Kernel kAvx512Bf16Of4x4, kAvx512Bf16Of2x2, kAvx512Bf16Of4x4Doubled;

/// Tiles of one sample and phase.
inline int64_t tiles_of(const gemm::Rows& rows, const Kernel& kernel) {
  const int64_t step = kernel.side * kernel.scale;
  return ((rows.out_height + step - 1) / step) * ((rows.out_width + step - 1) / step);
}

}  // namespace fresco::ops::winograd
