#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace fresco::pipeline {

/// The random numbers of a batch of pictures: torch's CPU generator (mt19937), so that seeds mean what they mean in diffusers.
class NoiseStream {
 public:
  /// One generator for each picture; or, with `one_generator`, a single one seeded with the first seed for the whole batch.
  NoiseStream(const std::vector<uint64_t>& seeds, bool one_generator);

  /// Standard normal numbers [B, ...] float32; shape is that of one picture, without B.
  at::Tensor draw(const std::vector<int64_t>& shape);
  /// Like draw, but with one generator the numbers of a single picture, repeated: what all pictures made from one input share.
  at::Tensor draw_shared(const std::vector<int64_t>& shape);

 private:
  int64_t pictures_;
  std::vector<at::Generator> generators_;
};

}  // namespace fresco::pipeline
