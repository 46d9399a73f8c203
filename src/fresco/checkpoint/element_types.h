#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "fresco/checkpoint/tensor_source.h"

namespace fresco::checkpoint {

/// The type that safetensors spells so; nothing when it is none of ours.
std::optional<ElementType> element_type(std::string_view word);
/// "F64, F32, ..." for messages.
std::string known_element_types();

}  // namespace fresco::checkpoint
