#include "fresco/data/random_tensors.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace fresco::data {
namespace {

int64_t count(std::span<const int64_t> visits) { return static_cast<int64_t>(visits.size()); }

}  // namespace

at::Tensor normal(uint64_t seed, Purpose purpose, std::span<const int64_t> visits, at::IntArrayRef shape) {
  auto sizes = shape.vec();
  sizes.insert(sizes.begin(), count(visits));
  at::Tensor values = at::empty(sizes, at::kFloat);
  auto* data = values.data_ptr<float>();
  const int64_t each = visits.empty() ? 0 : values.numel() / count(visits);
  at::parallel_for(0, count(visits), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      fill_normal({seed, purpose, visits[static_cast<size_t>(i)]}, {data + i * each, static_cast<size_t>(each)});
  });
  return values;
}

at::Tensor uniform(uint64_t seed, Purpose purpose, std::span<const int64_t> visits) {
  at::Tensor values = at::empty({count(visits)}, at::kDouble);
  auto* data = values.data_ptr<double>();
  for (const int64_t visit : visits) *data++ = uniform({seed, purpose, visit});
  return values;
}

at::Tensor integers(uint64_t seed, Purpose purpose, std::span<const int64_t> visits, int64_t from, int64_t to) {
  at::Tensor values = at::empty({count(visits)}, at::kLong);
  auto* data = values.data_ptr<int64_t>();
  for (const int64_t visit : visits)
    *data++ = from + static_cast<int64_t>(uniform_below({seed, purpose, visit}, static_cast<uint64_t>(to - from)));
  return values;
}

}  // namespace fresco::data
