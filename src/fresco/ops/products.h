#pragma once
#include <cstdint>
#include <string_view>

namespace fresco::ops {

/// What matrix products and convolutions multiply; sums are kept in float32 whatever it is.
enum class Products : uint8_t { f32, bf16, i8 };

/// "f32", "bf16", "int8"
constexpr std::string_view name(Products products) {
  return products == Products::f32 ? "f32" : products == Products::bf16 ? "bf16" : "int8";
}

}  // namespace fresco::ops
