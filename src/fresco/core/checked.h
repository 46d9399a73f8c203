#pragma once
// Arithmetic on numbers that came from outside: nothing wraps.
#include <cstdint>
#include <optional>
#include <span>

namespace fresco {

template <typename T>
std::optional<T> checked_add(T a, T b) {
  T sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

template <typename T>
std::optional<T> checked_mul(T a, T b) {
  T product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// Number of elements of a shape; nothing when a side is negative or the product leaves int64.
inline std::optional<int64_t> checked_elements(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (const int64_t side : shape) {
    if (side < 0 || __builtin_mul_overflow(count, side, &count)) return std::nullopt;
  }
  return count;
}

}  // namespace fresco
