#pragma once
// What a timing must be read with: the machine it was taken on.
#include <cstdint>
#include <string>
#include <vector>

#include "fresco/core/json.h"

namespace fresco::report {

struct Machine {
  std::string processor;                      // "AMD EPYC 9B14"; empty when the system does not tell
  int processors = 0;                         // logical ones that this process may use
  std::vector<std::string> instruction_sets;  // of those that kernels can use, narrowest first
  uint64_t memory_bytes = 0;                  // of the machine, or the control group's limit where that is less
  std::string gpu;                            // NVIDIA's first; empty without one
  std::string system;                         // "Linux 6.1.0"
  double load = 0;                            // processes that wanted to run in the last minute, on average
};

/// The machine now. Nothing here fails: what is not known stays empty.
Machine this_machine();

/// "2026-08-24T17:03:00Z"
std::string time_now();

Json to_json(const Machine& machine);

}  // namespace fresco::report
