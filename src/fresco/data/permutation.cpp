#include "fresco/data/permutation.h"

#include <cmath>

#include "fresco/data/counter_random.h"

namespace fresco::data {
namespace {

constexpr int kRounds = 8;

uint64_t smallest_square_side(uint64_t size) {
  auto side = static_cast<uint64_t>(std::sqrt(static_cast<double>(size)));
  while (side * side < size) ++side;
  return side;
}

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed)
    : size_(size),
      seed_(seed),
      rows_(smallest_square_side(size)),
      columns_(rows_ == 0 ? 0 : (size + rows_ - 1) / rows_) {}

uint64_t Permutation::once(uint64_t index) const {
  uint64_t row = index / columns_, column = index % columns_;
  for (int round = 0; round < kRounds; round += 2) {
    row = (row + uniform_below({seed_, Purpose::order, round}, rows_, static_cast<uint32_t>(column))) % rows_;
    column =
        (column + uniform_below({seed_, Purpose::order, round + 1}, columns_, static_cast<uint32_t>(row))) % columns_;
  }
  return row * columns_ + column;
}

uint64_t Permutation::operator()(uint64_t index) const {
  do index = once(index);
  while (index >= size_);
  return index;
}

}  // namespace fresco::data
