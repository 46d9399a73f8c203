#pragma once
// A network's weights while it is trained: leaves of autograd that lie in one buffer, their gradients in another.
#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fresco/layers/weight_source.h"

namespace fresco::training {

/// One tensor of the checkpoint and where its values lie in the buffers. Kernels of convolutions lie with their input channels last.
struct ParameterSlice {
  std::string name;
  std::vector<int64_t> shape;  // as in the checkpoint
  int64_t offset = 0, count = 0;
  bool gain = false;  // a bias, or a norm's gain: one dimension
};

/// Built for a network by asking its constructor what it wants; gradients add up in grads() until they are set to zero. Optimisers,
/// averages, checkpoints and processes that share a training see plain vectors; slices() tells where the tensors of the checkpoint lie, in
/// the order in which the network was built, that of its forward pass.
class Parameters : public layers::WeightSource {
 public:
  /// build: constructs the network from the source it is given. options: float32 or float64, and the device. Values are not set yet.
  Parameters(const std::function<void(const layers::WeightSource&)>& build, const at::TensorOptions& options);

  /// Leaves, which require gradients. Errors: FormatError for what was not asked for by `build`.
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override;
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const override;

  const at::Tensor& values() const { return values_; }  // [count], without a gradient of its own
  const at::Tensor& grads() const { return grads_; }    // [count]
  int64_t count() const { return values_.numel(); }
  const std::vector<ParameterSlice>& slices() const { return slices_; }
  /// What autograd sees: each has its grad() in grads(); some hold several slices.
  std::vector<at::Tensor> leaves() const;

  /// The part of a vector laid out like values() that belongs to a slice, in the checkpoint's shape; shares its memory.
  static at::Tensor part(const at::Tensor& vector, const ParameterSlice& slice);
  /// Copies every tensor from a source, converted. Errors: as WeightSource::get.
  void assign(const layers::WeightSource& source);

 private:
  struct Leaf {
    at::Tensor value;
    std::vector<std::string> names;
  };
  const Leaf& find(const std::string& name) const;

  at::Tensor values_, grads_;
  std::vector<ParameterSlice> slices_;
  std::map<std::string, Leaf> leaves_;  // by the first name of each
};

}  // namespace fresco::training
