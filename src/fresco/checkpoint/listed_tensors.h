#pragma once
// What every source shares: a sorted list of tensors and a search in it.
#include <functional>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

class ListedTensors : public TensorSource {
 public:
  const std::vector<TensorInfo>& tensors() const final { return infos_; }

 protected:
  /// Sorts `order` (positions in `infos`) by name and takes the infos over in that order. Errors: FormatError naming `where` when a
  /// name occurs twice.
  std::vector<size_t> adopt(std::vector<TensorInfo> infos, std::string_view where);
  /// Position in tensors(). Errors: FormatError naming the source when there is no such tensor.
  size_t position(std::string_view name) const;

 private:
  std::vector<TensorInfo> infos_;
};

/// bytes as they are when they lie on a multiple of the element's size, else a copy that does.
TensorData aligned(const TensorInfo& info, std::span<const std::byte> bytes);

}  // namespace fresco::checkpoint
