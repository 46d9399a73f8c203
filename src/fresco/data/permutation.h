#pragma once
#include <cstdint>

namespace fresco::data {

/// A shuffle of 0 .. size-1 that is looked up, not stored: a Feistel network over pairs of digits with other additions in each round
/// (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002), walked until it lands inside.
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed);
  /// index < size
  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t once(uint64_t index) const;

  uint64_t size_, seed_;
  uint64_t rows_, columns_;  // rows * columns covers size with less than a row to spare
};

}  // namespace fresco::data
