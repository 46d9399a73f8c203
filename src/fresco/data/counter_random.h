#pragma once
// Random numbers without a state: each is a function of a seed, of what it is for, and of the visit it belongs to. Neither the number of
// processes nor where a run was stopped changes any. The same bits on every machine. Free of libtorch; random_tensors.h fills tensors.
#include <array>
#include <cstdint>
#include <span>

namespace fresco::data {

using RandomWords = std::array<uint32_t, 4>;

/// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
RandomWords philox(RandomWords counter, std::array<uint32_t, 2> key);

/// What a number is for. Numbers with different purposes are independent. Values stay as they are: a run goes on with the same ones.
enum class Purpose : uint32_t {
  seed = 0,
  order = 1,
  posterior = 2,
  noise = 3,
  noise_offset = 4,
  timestep = 5,
  late_timestep = 6,
  caption_dropout = 7,
  flip = 8,
  crop = 9,
  weights = 10,
  validation_noise = 11,
  validation_timestep = 12,
  validation_posterior = 13,
  scene = 14,
  replacement = 15,
  late_choice = 16,
};

struct RandomKey {
  uint64_t seed = 0;
  Purpose purpose = Purpose::seed;
  int64_t visit = 0;
};

/// Block `block` of the key's numbers.
RandomWords random_words(const RandomKey& key, uint32_t block);

/// Number `index` of a key: in [0, 1), 53 bits.
double uniform(const RandomKey& key, uint32_t index = 0);
/// In [0, bound), bound > 0; off even shares by less than bound / 2^64.
uint64_t uniform_below(const RandomKey& key, uint64_t bound, uint32_t index = 0);

/// Normal numbers of mean 0 and variance 1 (Box and Muller 1958), at most 6.7 in magnitude, within 1e-6 of the exact transform. The first
/// n of a key are the same however many are asked for.
void fill_normal(const RandomKey& key, std::span<float> values);

/// A seed for part `index` of what `seed` decides, such as a phase of a recipe.
uint64_t derived_seed(uint64_t seed, uint64_t index);

}  // namespace fresco::data
