#pragma once
// How fast this machine multiplies and reads when nothing else holds it up: what operators are measured against.
#include <string>
#include <string_view>
#include <vector>

#include "fresco/core/json.h"
#include "fresco/core/processor.h"

namespace fresco::ops {

/// Multiply-adds on registers alone.
struct ComputeRate {
  Arithmetic arithmetic = Arithmetic::f32;
  std::string instructions;  // "AVX-512"
  double flops = 0;          // a second, all threads together; 2 for each multiply-add
};

struct MachineRates {
  int threads = 1;
  std::vector<ComputeRate>
      compute;              // one for each instruction set that is present and measured, the fastest of a kind first
  double memory_bytes = 0;  // a second: reads of a block larger than the caches

  /// The fastest for such numbers, float32's where the machine has nothing of its own for them. Null when nothing was measured.
  /// A form that takes AVX2 alone ("avx2") is held against what that gives.
  const ComputeRate* best(Arithmetic arithmetic, std::string_view form = {}) const;
  /// Shortest time in which so much can be done, whichever of the two takes longer; 0 when nothing was measured.
  double seconds(Arithmetic arithmetic, double flops, double bytes, std::string_view form = {}) const;
};

/// Measures for about 0.2 s on so many threads at once, at most those of the processor.
MachineRates measure_machine(int threads);

Json to_json(const MachineRates& rates);

}  // namespace fresco::ops
