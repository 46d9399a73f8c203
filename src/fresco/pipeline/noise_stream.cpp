#include "fresco/pipeline/noise_stream.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace fresco::pipeline {
namespace {

std::vector<int64_t> with_batch(int64_t batch, const std::vector<int64_t>& shape) {
  std::vector<int64_t> full{batch};
  full.insert(full.end(), shape.begin(), shape.end());
  return full;
}

at::Tensor numbers(int64_t batch, const std::vector<int64_t>& shape, at::Generator& generator) {
  return at::randn(with_batch(batch, shape), generator, at::dtype(at::kFloat));
}

}  // namespace

NoiseStream::NoiseStream(const std::vector<uint64_t>& seeds, bool one_generator)
    : pictures_(static_cast<int64_t>(seeds.size())) {
  const size_t count = one_generator ? 1 : seeds.size();
  for (size_t i = 0; i < count; ++i) generators_.push_back(at::detail::createCPUGenerator(seeds[i]));
}

at::Tensor NoiseStream::draw(const std::vector<int64_t>& shape) {
  if (generators_.size() == 1) return numbers(pictures_, shape, generators_[0]);
  std::vector<at::Tensor> parts;
  for (auto& generator : generators_) parts.push_back(numbers(1, shape, generator));
  return at::cat(parts);
}

at::Tensor NoiseStream::draw_shared(const std::vector<int64_t>& shape) {
  if (generators_.size() > 1) return draw(shape);
  return numbers(1, shape, generators_[0]).expand(with_batch(pictures_, shape)).contiguous();
}

}  // namespace fresco::pipeline
