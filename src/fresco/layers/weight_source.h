#pragma once
// Where layers get their weights from, and how they are to be prepared.
#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fresco/checkpoint/calibration.h"
#include "fresco/checkpoint/tensor_source.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gemm/packed_weights.h"
#include "fresco/ops/memory/stored_tensor.h"
#include "fresco/ops/products.h"

namespace fresco::layers {

/// On which device, in which type and for which operators weights are made ready.
struct Preparation {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  std::string ops = "auto";
  ops::Products products = ops::Products::f32;
  /// Matrices and convolutions that a checkpoint holds in float16 stay so: operators convert them on the way, exactly.
  bool keep_half = false;
  /// Matrices, convolutions and embeddings stay in the checkpoint's file: operators read them anew at each use. CPU only.
  bool leave_stored = false;
  /// Where gradients are wanted: cells keep their inputs alone and are computed again in the backward pass.
  bool recompute_cells = false;
  /// Products in 8-bit integers: matrices that it keeps are multiplied in bfloat16. May be null.
  std::shared_ptr<const checkpoint::Calibration> calibration;
  /// Type of a network's results: float32 for the narrower types, float64 for float64.
  at::ScalarType result_type() const { return type == at::kDouble ? at::kDouble : at::kFloat; }
};

/// What the matrix of this name multiplies on this thread, whose products `preparation` may raise.
ops::Products products_for(const Preparation& preparation, const std::string& layer);

/// Gives tensors by name. Errors: FormatError naming file, tensor, expected and actual shape, or that it is missing.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// shape: what the layer wants; sides of 1 at the end of a stored shape do not matter (1x1 kernels and matrices).
  virtual at::Tensor get(const std::string& name, at::IntArrayRef shape) const = 0;
  /// Tensors of one shape, one below the other. may_stay_half: float16 values need not be converted.
  virtual at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const;
  /// The same for a matrix or convolution, which may be left where it is stored.
  virtual ops::StoredTensor stored(const std::vector<std::string>& names, at::IntArrayRef shape) const {
    return stack(names, shape, /*may_stay_half=*/true);
  }
  /// A tensor of which few rows are read: its values may lie in the file's own pages, in the file's type.
  virtual at::Tensor table(const std::string& name, at::IntArrayRef shape) const { return get(name, shape); }
  /// Matrices or convolutions packed for the kernels in force on this thread, where the source holds them so; else empty.
  virtual ops::PackedStore packed(const std::vector<std::string>& /*names*/, at::IntArrayRef /*shape*/,
                                  ops::Layout /*layout*/) const {
    return {};
  }
  /// What the matrix of this name multiplies: as this thread is told, or more where a calibration asks for that.
  virtual ops::Products products_of(const std::string& /*layer*/) const { return ops::current_products(); }
};

/// Errors: FormatError at `place` when a tensor is not of the shape expected, but for sides of 1 at the end.
void check_shape(const std::string& place, const std::string& name, const std::vector<int64_t>& expected,
                 const std::vector<int64_t>& got);

/// Tensors of a checkpoint, converted to the preparation's type on its device; mapped pages are released as they are read.
class CheckpointWeights : public WeightSource {
 public:
  /// `on_read` is told the bytes of each tensor as it is read; it may throw to stop loading.
  CheckpointWeights(std::shared_ptr<const checkpoint::TensorSource> source, Preparation preparation,
                    std::function<void(uint64_t)> on_read = {});
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override;
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const override;
  ops::StoredTensor stored(const std::vector<std::string>& names, at::IntArrayRef shape) const override;
  at::Tensor table(const std::string& name, at::IntArrayRef shape) const override;
  ops::Products products_of(const std::string& layer) const override;

 private:
  /// Errors: FormatError when there is no such tensor of this shape; before memory is taken for it.
  void require(const std::string& name, at::IntArrayRef shape) const;
  /// Converts a stored tensor into `place`, of its shape.
  void read_into(const std::string& name, const at::Tensor& place) const;
  void tell(const std::string& name) const;  // on_read_, for a tensor that is left where it is

  std::shared_ptr<const checkpoint::TensorSource> source_;
  Preparation preparation_;
  std::function<void(uint64_t)> on_read_;
};

/// Tensors that live in memory under their names, as a trainer holds them. get() hands out the tensors themselves, gradients and all.
class ParameterMap : public WeightSource {
 public:
  std::map<std::string, at::Tensor> tensors;
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override;
};

/// Remembers which packed weights every tensor went into, so that one can be replaced alone.
class WeightIndex {
 public:
  using Assign = std::function<void(const at::Tensor&)>;
  void add(const std::string& name, std::vector<int64_t> shape, Assign assign);
  /// Packs `value` in the place of the tensor of this name. Errors: InputError for an unknown name or another shape.
  void replace(const std::string& name, const at::Tensor& value) const;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::vector<int64_t> shape;
    Assign assign;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace fresco::layers
