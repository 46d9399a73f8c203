#pragma once
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "fresco/pipeline/generator.h"

namespace fresco::pipeline {

struct Generator::Impl {
  at::Generator torch;
};

/// The random numbers of a batch of pictures: torch's CPU generator (mt19937), so that seeds mean what they mean in diffusers.
class NoiseStream {
 public:
  /// A generator for each of the pictures, or a single one for all of them.
  NoiseStream(std::vector<Generator> generators, int64_t pictures);

  /// Standard normal numbers [B, ...] float32; shape is that of one picture, without B.
  at::Tensor draw(const std::vector<int64_t>& shape);
  /// Like draw, but with one generator the numbers of `inputs` pictures (1, or as many as there are), repeated: what pictures made from
  /// one input share.
  at::Tensor draw_shared(const std::vector<int64_t>& shape, int64_t inputs = 1);
  /// The numbers of `inputs` pictures, each from the generator of the picture in its place, repeated for all pictures.
  at::Tensor draw_first(const std::vector<int64_t>& shape, int64_t inputs = 1);

 private:
  int64_t pictures_;
  std::vector<Generator> generators_;
};

}  // namespace fresco::pipeline
