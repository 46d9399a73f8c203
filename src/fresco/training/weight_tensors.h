#pragma once
#include "fresco/checkpoint/listed_tensors.h"
#include "fresco/training/parameters.h"

namespace fresco::training {

/// Parameters, or a vector laid out like them, as the tensors of a checkpoint. Values are read when they are asked for.
class WeightTensors final : public checkpoint::ListedTensors {
 public:
  /// shapes: of the checkpoint, by name; a matrix may stand there as a 1x1 kernel.
  using Shapes = std::map<std::string, std::vector<int64_t>>;
  WeightTensors(const std::vector<ParameterSlice>& slices, at::Tensor vector, const Shapes& shapes, bool half);

  checkpoint::TensorData read(std::string_view name) const override;
  void release(std::string_view) const override {}
  std::string place(std::string_view = {}) const override { return "the model in training"; }

 private:
  std::vector<ParameterSlice> slices_;  // parallel to tensors()
  at::Tensor vector_;
};

}  // namespace fresco::training
