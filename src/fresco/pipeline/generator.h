#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace fresco::pipeline {

/// A stream of random numbers: torch's CPU generator (mt19937), where it stands. Copies share the stream, and whoever draws from one of
/// them moves all on. Free of libtorch's headers.
class Generator {
 public:
  /// As torch.Generator().manual_seed(seed).
  explicit Generator(uint64_t seed);
  /// Goes on where a generator of torch stands: the bytes of its get_state(). Errors: InputError when they are not those of a CPU generator.
  static Generator from_state(const std::vector<uint8_t>& state);

  std::vector<uint8_t> state() const;
  /// The seed that the stream began with.
  uint64_t seed() const { return seed_; }

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  uint64_t seed_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fresco::pipeline
