#pragma once
// What tests of operators with several forms share.
#include <ATen/Parallel.h>

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

/// Those of them that operators without matrix products are written for.
inline std::vector<std::string> vector_forms() {
  auto forms = isa_forms();
  std::erase(forms, "avx512-bf16");
  return forms;
}

/// What `work` returns on this many threads.
template <typename Work>
auto on_threads(int threads, const Work& work) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  const auto result = work();
  at::set_num_threads(before);
  return result;
}

}  // namespace fresco::test
