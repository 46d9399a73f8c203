#pragma once
// Instruction sets that kernels are written for, what this processor has of them, and which of them is in force.
#include <string_view>
#include <vector>

namespace fresco::ops {

/// Each one includes those before it.
enum class Isa {
  none,         // any x86-64: what libtorch brings
  avx2,         // AVX2, FMA, half-precision conversion
  avx512,       // AVX-512 F, BW, DQ, VL
  avx512_bf16,  // and products of bfloat16 and of 8-bit integers
};

/// "avx2", "avx512", "avx512-bf16"; "none".
std::string_view name(Isa isa);

/// The best that this processor and its operating system run.
Isa native_isa();

/// The one that kernels are chosen for on this thread: the native one, or a lower one that a form's name forces (see dispatch.h).
Isa current_isa();

/// Names of all that run here, best first.
std::vector<std::string_view> runnable_isas();

}  // namespace fresco::ops
