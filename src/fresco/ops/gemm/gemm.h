#pragma once
// Products of a tall matrix whose rows lie in one or two channels-last images (a plain matrix is the case of one column of pixels) and a
// packed weight matrix. Linear layers, 1x1 convolutions and direct convolutions are all this. Free of libtorch.
#include <cstddef>
#include <cstdint>

namespace fresco::ops::gemm {

/// How the elements of packed weights are stored.
enum class Storage : uint8_t { f32, f16, bf16, i8 };

constexpr int64_t bytes_each(Storage storage) { return storage == Storage::f32 ? 4 : storage == Storage::i8 ? 1 : 2; }
/// Neighbours along the depth that one instruction multiplies and adds: they lie side by side.
constexpr int64_t group_of(Storage storage) { return storage == Storage::bf16 ? 2 : storage == Storage::i8 ? 4 : 1; }

/// Weights [outputs, depth] in panels: [outputs / panel][depth / group][panel][group], zeros beyond both ends.
struct Packed {
  const void* data = nullptr;
  Storage storage = Storage::f32;
  int64_t outputs = 0;
  int64_t depth = 0;
  int64_t panel = 0;                 // columns that a micro-kernel computes at once: 16 (AVX2) or 32 (AVX-512)
  const float* scales = nullptr;     // i8 only: value of one step of each output, [columns]
  const int32_t* offsets = nullptr;  // i8 only: kZero * sum of the weights in each cut of the depth, [cuts][columns]

  int64_t padded_depth() const { return (depth + group_of(storage) - 1) / group_of(storage) * group_of(storage); }
  int64_t panels() const { return (outputs + panel - 1) / panel; }
  int64_t columns() const { return panels() * panel; }
  int64_t panel_bytes() const { return padded_depth() * panel * bytes_each(storage); }
};

/// Rows of the left matrix: one for each output pixel, holding the pixels under a square kernel, tap by tap, x's channels before skip's.
struct Rows {
  const float* x = nullptr;  // [B, height, width, channels], stride floats from pixel to pixel
  int64_t channels = 0;
  int64_t x_stride = 0;
  const float* skip = nullptr;  // may be absent
  int64_t skip_channels = 0;
  int64_t skip_stride = 0;
  int64_t side = 1;    // of the kernel
  int64_t stride = 1;  // between output pixels
  int64_t top = 0, left = 0;
  int64_t height = 1, width = 1;          // of the input
  int64_t out_height = 1, out_width = 1;  // of the output

  int64_t taps_channels() const { return channels + skip_channels; }
  int64_t depth() const { return side * side * taps_channels(); }
};

/// What is done to a product before it is written: out = product + bias + shift + residual; or GEGLU of it.
struct Epilogue {
  const float* bias = nullptr;   // [outputs]
  const float* shift = nullptr;  // [B, outputs], one row for rows_per_sample rows of the product
  int64_t rows_per_sample = 1;
  const float* residual = nullptr;  // like out
  int64_t residual_stride = 0;
  bool geglu = false;  // panels hold half a panel of values, then their gates: out = value * gelu(gate), half as wide
};

struct Call {
  Rows rows;
  int64_t count = 0;  // rows of the product
  Packed weights;
  Epilogue epilogue;
  float* out = nullptr;  // [count, outputs], out_stride floats from row to row
  int64_t out_stride = 0;
};

/// Part of a product: rows [row, row + rows), panels [panel, panel + panels).
struct Block {
  int64_t row, rows, panel, panels;
};

/// Bytes of one row that a block holds at most; longer rows are cut.
constexpr int64_t kRowBytes = 1536;

/// Length of the even cuts of the depth, a multiple of 4 elements. It depends on the weights alone.
constexpr int64_t cut_of(int64_t depth, Storage storage) {
  const int64_t most = kRowBytes / (storage == Storage::f16 ? 4 : bytes_each(storage));
  const int64_t cuts = (depth + most - 1) / most;
  return (depth + cuts * 4 - 1) / (cuts * 4) * 4;
}

/// Rows multiplied as 8-bit integers are unsigned, with this for 0.
constexpr int32_t kZero = 128;

/// Limits of a block, and the scratch memory that computing one takes.
constexpr int64_t kMaxRows = 144;
constexpr int64_t kMaxColumns = 640;
constexpr int64_t kScratchBytes = 768 * 1024;

/// One instruction set's code.
struct Kernel {
  int64_t panel;
  int64_t tile;  // rows that its innermost loop takes at most
  /// Computes a block; scratch is kScratchBytes, aligned to 64.
  void (*multiply)(const Call& call, const Block& block, std::byte* scratch);
};

/// Which element types of weights a kernel's instruction set multiplies, `multiply` null where it does not.
extern const Kernel kAvx2;        // storage f32, f16; products in float32
extern const Kernel kAvx512;      // the same
extern const Kernel kAvx512Int8;  // storage i8: rows rounded to 255 steps of their own, a cut at a time
extern const Kernel kAvx512Bf16;  // storage bf16; products in bfloat16, sums in float32
extern const Kernel kAmxInt8;     // the same on tiles
extern const Kernel kAmxBf16;     // the same on tiles

/// One instruction set's code that fills a panel from float32 values. step: elements of the panel from one group of depths to the next.
struct PackKernel {
  /// Rows of `from`, at most a panel of them and `stride` floats apart, become columns; what is missing, zeros.
  void (*turn)(const float* from, int64_t stride, int64_t rows, int64_t depth, void* to, int64_t step);
  /// `depth` rows of `from` lie as they are, `columns` of them (at most a panel) and zeros beyond.
  void (*lay)(const float* from, int64_t stride, int64_t depth, int64_t columns, void* to, int64_t step);
};

extern const PackKernel kAvx2Pack, kAvx512Pack;  // as float32
extern const PackKernel kAvx512Bf16Pack;         // as bfloat16

/// Computes the whole product on all threads of this process's pool.
void multiply(const Kernel& kernel, const Call& call);

}  // namespace fresco::ops::gemm
