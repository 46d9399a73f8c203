#pragma once
// Sources made of other sources: the same bytes under other names and shapes, and several files as one.
#include <optional>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

struct Renaming {
  std::string from;
  std::string to;
  std::optional<Shape> shape;  // another shape of as many elements
};

/// The tensors of `source` that `renamings` name, under their new names. Errors: FormatError when two get the same name.
std::shared_ptr<const TensorSource> rename(std::shared_ptr<const TensorSource> source, std::vector<Renaming> renamings);

/// All tensors of all parts. Errors: FormatError naming `place` when a name occurs twice.
std::shared_ptr<const TensorSource> join(std::vector<std::shared_ptr<const TensorSource>> parts, std::string place);

}  // namespace fresco::checkpoint
