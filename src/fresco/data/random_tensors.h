#pragma once
// counter_random.h for the samples of a batch: each sample's numbers come from its own visit, so that they are the same whatever else is in
// the batch.
#include <ATen/core/Tensor.h>

#include <span>

#include "fresco/data/counter_random.h"

namespace fresco::data {

/// [visits, ...shape] float32 on the CPU, mean 0, variance 1.
at::Tensor normal(uint64_t seed, Purpose purpose, std::span<const int64_t> visits, at::IntArrayRef shape);
/// [visits] float64 in [0, 1)
at::Tensor uniform(uint64_t seed, Purpose purpose, std::span<const int64_t> visits);
/// [visits] int64 in [from, to)
at::Tensor integers(uint64_t seed, Purpose purpose, std::span<const int64_t> visits, int64_t from, int64_t to);

}  // namespace fresco::data
