#pragma once
// Names that a pickle may import, and what they stand for here.
#include <optional>
#include <string_view>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

enum class GlobalRole {
  dictionary,      // called: a dictionary
  first_argument,  // called: its first argument
  rebuild_tensor,  // called with (storage, offset, size, stride, ...)
  rebuild_typed,   // called with (storage, offset, size, stride, requires_grad, hooks, type, ...)
  storage_type,    // names the element type of a storage
  element_type,    // names an element type
  opaque,          // stands beside the weights in published checkpoints; becomes a value that nobody looks at
};

struct PickleGlobal {
  std::string_view module, name;
  GlobalRole role = GlobalRole::opaque;
  std::optional<ElementType> type = std::nullopt;  // storage_type without one: untyped bytes
};

/// Position in the table; nothing when the name may not be imported.
std::optional<size_t> find_global(std::string_view module, std::string_view name);
const PickleGlobal& global_at(size_t position);

}  // namespace fresco::checkpoint
