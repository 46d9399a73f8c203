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

/// Whether an instruction set adds narrow products alone; everything else it does as AVX-512.
inline bool is_narrow(const std::string& isa) { return isa == "amx" || isa == "avx512-bf16"; }

/// The form that multiplies float32 where an instruction set is forced.
inline std::string float_form(const std::string& isa) { return is_narrow(isa) ? "avx512" : isa; }

/// Those of them that operators without matrix products are written for.
inline std::vector<std::string> vector_forms() {
  auto forms = isa_forms();
  std::erase_if(forms, is_narrow);
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
