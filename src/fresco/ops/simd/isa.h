#pragma once
// Instruction sets that kernels are written for, what this processor has of them, and which of them is in force.
#include <span>
#include <string_view>
#include <vector>

#include "fresco/core/processor.h"

namespace fresco::ops {

/// Each one includes those before it.
enum class Isa {
  none,         // any x86-64: what libtorch brings
  avx2,         // AVX2, FMA, half-precision conversion
  avx512,       // AVX-512 F, BW, DQ, VL
  avx512_bf16,  // and products of bfloat16 and of 8-bit integers
  amx,          // and the same on tiles
};

/// "avx2", "avx512", "avx512-bf16", "amx"; "none".
std::string_view name(Isa isa);

/// All but none, best first.
std::span<const Isa> all_isas();

/// The best that a processor runs. may_use_tiles: asks the system, which hands out room for tiles on request only; called where the
/// processor has them.
Isa best_isa(const Processor& here, bool (*may_use_tiles)());

/// The best that this processor and its operating system run.
Isa native_isa();
/// What native_isa() says from now on: for tests that run instructions which the processor lacks in an emulator.
void pretend_native_isa(Isa isa);

/// The one that kernels are chosen for on this thread: the native one, or a lower one that a form's name forces (see dispatch.h).
Isa current_isa();

/// Names of all that run here, best first.
std::vector<std::string_view> runnable_isas();

}  // namespace fresco::ops
