#pragma once
// Weights in the layout that one instruction set's kernels read, and which kernels those are.
#include <ATen/core/Tensor.h>

#include <functional>
#include <mutex>
#include <vector>

#include "fresco/ops/conv2d/winograd.h"
#include "fresco/ops/conv2d/winograd_gradient.h"
#include "fresco/ops/gemm/gemm.h"
#include "fresco/ops/gemm/outer.h"
#include "fresco/ops/memory/stored_tensor.h"
#include "fresco/ops/products.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {

/// The kernels of one instruction set for one kind of products; null where it has none.
struct KernelSet {
  Isa isa = Isa::none;
  Products products = Products::f32;
  const gemm::Kernel* matrix = nullptr;       // for matrices stored as the products want them
  const gemm::Kernel* matrix_int8 = nullptr;  // for those stored as 8-bit integers
  const winograd::Kernel* winograd = nullptr;
  const winograd::Kernel* winograd_large = nullptr;             // for large pictures
  const winograd::Kernel* doubled = nullptr;                    // for pictures doubled on the way
  const outer::Kernel* outer = nullptr;                         // for gradients of matrices
  const winograd::GradientKernel* winograd_gradient = nullptr;  // and of 3x3 kernels
  const gemm::PackKernel* pack = nullptr;                       // of matrices, for a single use
  const gemm::PackKernel* pack_floats = nullptr;                // of 3x3 kernels
};

/// What weights are packed for on this thread now (current_isa(), current_products()); isa none when nothing faster than libtorch runs.
KernelSet current_kernels();

enum class Layout : uint8_t {
  matrix,  // [outputs, depth] in panels
  gated,   // the same for GEGLU: each panel half values, half their gates
  taps,  // [outputs, channels, side, side] as a matrix whose depth runs over all channels of a tap before the next tap
  winograd,  // [outputs, depth, 3, 3]: panels of nine values
};

/// One packed tensor.
struct PackedWeights {
  at::Tensor data;
  at::Tensor scales, offsets;  // 8-bit integers only: see gemm::Packed
  gemm::Packed view;
  Layout layout = Layout::matrix;
};

/// plain: [outputs, depth], or with kernels behind, contiguous, float32, float16 or bfloat16. float16 values stay float16 where the
/// products are float32 (they are converted on the way, exactly). With 8-bit products matrices become 8-bit integers, each output with a
/// scale of its own, and convolutions bfloat16.
PackedWeights pack(const at::Tensor& plain, Layout layout, const KernelSet& kernels);

/// The same for a single use, of float32 values: in memory that this thread uses for it again and again. Kernels may lie with their input
/// channels last, which is quickest.
PackedWeights pack_for_pass(const at::Tensor& weight, Layout layout, const KernelSet& kernels);

/// Input channels of a weight.
struct ChannelRange {
  int64_t first, count;
};

/// For the gradient of those input channels: inputs and outputs change places, and taps are turned about. Serves where can_pack_turned().
PackedWeights pack_turned(const at::Tensor& weight, const ChannelRange& range, Layout layout, const KernelSet& kernels);
bool can_pack_turned(const at::Tensor& weight, Layout layout, const KernelSet& kernels);

/// Back to a plain tensor of this shape, float32 or float16 as it is stored.
at::Tensor unpack(const PackedWeights& packed, at::IntArrayRef shape);

/// Whether these kernels read weights that are packed so.
bool serves(const PackedWeights& packed, const KernelSet& kernels);

/// Elements that a tensor of this shape takes in this layout and in the storage and panels of `view`.
int64_t packed_elements(at::IntArrayRef shape, Layout layout, const gemm::Packed& view);

/// Weights that somebody else keeps packed, in a mapped file: asked for at each use, let go of after it.
using PackedStore = std::function<PackedWeights()>;

/// A tensor of weights that is plain until its first use and packed from then on; one copy at a time. One that is left in its store is
/// packed anew for each use, in memory of the drawing; as 8-bit integers, which take long to make and little to keep, once. Safe from
/// several threads, except where noted.
class LazyWeights {
 public:
  LazyWeights(StoredTensor plain, Layout layout) : plain_(std::move(plain)), layout_(layout), shape_(plain_.sizes()) {}

  /// Packed already, of a plain tensor of this shape.
  LazyWeights(PackedStore ready, Layout layout, std::vector<int64_t> shape)
      : ready_(std::move(ready)), layout_(layout), shape_(std::move(shape)) {}

  /// Packs on the first call. kernels: the same at every call.
  PackedWeights packed(const KernelSet& kernels) const;
  /// Plain values, unpacked or read when necessary.
  at::Tensor plain() const;
  /// Replaces the values; from then on they are held. Not while another thread uses them.
  void assign(at::Tensor plain);
  Layout layout() const { return layout_; }
  const std::vector<int64_t>& shape() const { return shape_; }

 private:
  mutable std::mutex mutex_;
  mutable StoredTensor plain_;
  mutable PackedWeights packed_;
  PackedStore ready_;  // before both others
  Layout layout_;
  std::vector<int64_t> shape_;
};

/// Whether weights of this kind may be packed on this thread: on the CPU, of a floating-point type that kernels read, untouched by autograd.
bool can_pack(const StoredTensor& plain);

}  // namespace fresco::ops
