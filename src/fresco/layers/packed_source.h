#pragma once
// Weights from packed files: used where they lie when the kernels in force read them so, unpacked otherwise.
#include "fresco/checkpoint/packed_file.h"
#include "fresco/layers/weight_source.h"

namespace fresco::layers {

class PackedSource : public WeightSource {
 public:
  /// `on_read` is told the bytes of each tensor; it may throw to stop loading.
  PackedSource(std::shared_ptr<const checkpoint::PackedTensors> source, Preparation preparation,
               std::function<void(uint64_t)> on_read = {});
  at::Tensor get(const std::string& name, at::IntArrayRef shape) const override;
  at::Tensor stack(const std::vector<std::string>& names, at::IntArrayRef shape, bool may_stay_half) const override;
  at::Tensor table(const std::string& name, at::IntArrayRef shape) const override;
  ops::PackedStore packed(const std::vector<std::string>& names, at::IntArrayRef shape,
                          ops::Layout layout) const override;
  ops::Products products_of(const std::string& layer) const override;

 private:
  /// The weights that hold these tensors and no others, in this order; null when they lie otherwise.
  const checkpoint::PackedTensor* whole(const std::vector<std::string>& names, at::IntArrayRef shape) const;
  at::Tensor plain(const checkpoint::PackedTensor& weights) const;
  at::Tensor converted(const at::Tensor& plain, bool may_stay_half) const;
  void report(const std::vector<std::string>& names) const;

  std::shared_ptr<const checkpoint::PackedTensors> source_;
  Preparation preparation_;
  std::function<void(uint64_t)> on_read_;
};

/// Weights of one part of a model, packed or not.
std::unique_ptr<WeightSource> open_weights(std::shared_ptr<const checkpoint::TensorSource> tensors,
                                           const Preparation& preparation, std::function<void(uint64_t)> on_read = {});

/// Whether the kernels that this preparation means read everything in the file as it lies.
bool fits(const checkpoint::PackedFile& file, const Preparation& preparation);

}  // namespace fresco::layers
