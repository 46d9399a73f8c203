#include "fresco/training/weight_tensors.h"

#include <ATen/ATen.h>

#include <cstring>

namespace fresco::training {

using checkpoint::ElementType;

WeightTensors::WeightTensors(const std::vector<ParameterSlice>& slices, at::Tensor vector, const Shapes& shapes,
                             bool half)
    : vector_(std::move(vector)) {
  std::vector<checkpoint::TensorInfo> infos;
  for (const auto& slice : slices) {
    const auto stored = shapes.find(slice.name);
    infos.push_back({slice.name, half ? ElementType::f16 : ElementType::f32,
                     stored == shapes.end() ? slice.shape : stored->second});
  }
  for (const size_t position : adopt(std::move(infos), place())) slices_.push_back(slices[position]);
}

checkpoint::TensorData WeightTensors::read(std::string_view name) const {
  const size_t at = position(name);
  const auto& info = tensors()[at];
  const auto type = info.type == ElementType::f16 ? at::kHalf : at::kFloat;
  const auto values = Parameters::part(vector_.detach(), slices_[at]).to(at::kCPU, type).contiguous();
  auto bytes = std::make_shared<std::vector<std::byte>>(values.nbytes());
  std::memcpy(bytes->data(), values.const_data_ptr(), bytes->size());
  return {info, *bytes, bytes};
}

}  // namespace fresco::training
