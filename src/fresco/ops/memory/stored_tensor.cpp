#include "fresco/ops/memory/stored_tensor.h"

#include <ATen/ATen.h>

#include <utility>

namespace fresco::ops {

StoredTensor::StoredTensor(at::Tensor held) : held_(std::move(held)) {
  if (!held_.defined()) return;
  sizes_ = held_.sizes().vec();
  type_ = held_.scalar_type();
}

StoredTensor::StoredTensor(std::vector<int64_t> sizes, at::ScalarType type, Read read, Release release)
    : store_(std::make_shared<const Store>(Store{std::move(read), std::move(release)})),
      sizes_(std::move(sizes)),
      type_(type) {}

}  // namespace fresco::ops
