#pragma once
// The loops that machine_rate.cpp times, one for each instruction set.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fresco/core/processor.h"

namespace fresco::ops {

struct MachineLoop {
  Arithmetic arithmetic;
  std::string_view instructions;
  double flops;  // of one turn
  void (*run)(int64_t turns);
};

/// Those that this processor can run.
std::vector<MachineLoop> machine_loops();

/// Reads all of it (a multiple of 256 bytes, aligned to 64).
uint64_t read_all(const std::byte* block, size_t bytes);

}  // namespace fresco::ops
