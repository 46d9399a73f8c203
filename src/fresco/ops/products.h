#pragma once
#include <cstdint>
#include <string_view>

namespace fresco::ops {

/// What matrix products and convolutions multiply; sums are kept in float32 whatever it is.
enum class Products : uint8_t { f32, bf16, i8 };

}  // namespace fresco::ops
