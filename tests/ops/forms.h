#pragma once
// What tests of operators with several forms share.
#include <string>
#include <vector>

#include "fresco/ops/simd/isa.h"

namespace fresco::test {

/// Instruction sets that run here, best first.
inline std::vector<std::string> isa_forms() {
  std::vector<std::string> names;
  for (const auto name : ops::runnable_isas()) names.emplace_back(name);
  return names;
}

}  // namespace fresco::test
