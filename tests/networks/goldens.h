#pragma once
// Reference data of the tests: where it lies, how tensors of it are read, how results are compared.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::test {

inline std::filesystem::path shared() { return std::filesystem::path(FRESCO_SOURCE_DIR) / "../shared"; }
inline bool has_goldens() { return std::filesystem::exists(shared() / "goldens/tiny-sd15.safetensors"); }

class Goldens {
 public:
  explicit Goldens(const std::filesystem::path& file) : source_(checkpoint::open_tensors(file.string())) {}
  bool has(const std::string& name) const { return source_->find(name) != nullptr; }
  at::Tensor operator[](const std::string& name) const {
    const auto data = source_->read(name);
    const auto type = data.info.type == checkpoint::ElementType::i64   ? at::kLong
                      : data.info.type == checkpoint::ElementType::f64 ? at::kDouble
                                                                       : at::kFloat;
    return at::from_blob(const_cast<std::byte*>(data.bytes.data()), data.info.shape, at::dtype(type)).clone();
  }

 private:
  std::shared_ptr<const checkpoint::TensorSource> source_;
};

/// Largest difference as a share of the largest magnitude of the expected values.
inline double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  if (got.sizes() != expected.sizes()) return 1e30;
  const auto difference = (got.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  return difference / expected.to(at::kDouble).abs().max().item<double>();
}

}  // namespace fresco::test
