#include "fresco/pipeline/noise_stream.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace fresco::pipeline {
namespace {

std::vector<int64_t> with_batch(int64_t batch, const std::vector<int64_t>& shape) {
  std::vector<int64_t> full{batch};
  full.insert(full.end(), shape.begin(), shape.end());
  return full;
}

at::Tensor numbers(int64_t batch, const std::vector<int64_t>& shape, const Generator& generator) {
  return at::randn(with_batch(batch, shape), generator.impl().torch, at::dtype(at::kFloat));
}

}  // namespace

NoiseStream::NoiseStream(std::vector<Generator> generators, int64_t pictures)
    : pictures_(pictures), generators_(std::move(generators)) {}

at::Tensor NoiseStream::draw(const std::vector<int64_t>& shape) {
  if (generators_.size() == 1) return numbers(pictures_, shape, generators_[0]);
  std::vector<at::Tensor> parts;
  for (auto& generator : generators_) parts.push_back(numbers(1, shape, generator));
  return at::cat(parts);
}

at::Tensor NoiseStream::draw_shared(const std::vector<int64_t>& shape, int64_t inputs) {
  return generators_.size() > 1 ? draw(shape) : draw_first(shape, inputs);
}

at::Tensor NoiseStream::draw_first(const std::vector<int64_t>& shape, int64_t inputs) {
  std::vector<at::Tensor> parts;
  if (generators_.size() == 1) {
    parts.push_back(numbers(inputs, shape, generators_[0]));
  } else {
    for (int64_t i = 0; i < inputs; ++i) parts.push_back(numbers(1, shape, generators_[static_cast<size_t>(i)]));
  }
  const auto drawn = at::cat(parts);
  return inputs == pictures_ ? drawn : drawn.expand(with_batch(pictures_, shape)).contiguous();
}

}  // namespace fresco::pipeline
