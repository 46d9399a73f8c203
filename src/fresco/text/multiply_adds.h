#pragma once
// How much arithmetic the text encoder does. Free of libtorch.
#include "fresco/core/multiply_adds.h"
#include "fresco/text/text_spec.h"

namespace fresco::text {

/// Of one caption, padded to all positions.
MultiplyAdds multiply_adds(const TextSpec& spec);

}  // namespace fresco::text
