#pragma once
// What the processor underneath can run.
#include <string>
#include <string_view>
#include <vector>

namespace fresco {

/// Groups of instructions beyond x86-64's own that kernels are written for.
enum class InstructionSet {
  avx2,         // with FMA and conversion from and to float16 (F16C)
  avx512,       // F, BW, DQ, VL
  avx_vnni,     // products of 8-bit numbers in 256 bits
  avx512_vnni,  // the same in 512 bits
  avx512_bf16,  // products of bfloat16 numbers
  avx512_fp16,  // arithmetic in float16
  amx_int8,     // tiles of 8-bit numbers
  amx_bf16      // tiles of bfloat16 numbers
};
std::string_view name(InstructionSet set);

/// What numbers are multiplied as.
enum class Arithmetic { f32, bf16, f16, int8 };
std::string_view name(Arithmetic arithmetic);  // "float32", "bfloat16", "float16", "int8"

struct Processor {
  std::string name;  // as it calls itself; empty where unknown
  int threads = 1;   // that this process may run on
  std::vector<InstructionSet> sets;

  bool has(InstructionSet set) const;
  /// Multiplies such numbers by instructions of its own. Float32 always.
  bool native(Arithmetic arithmetic) const;
};

/// The one this process runs on: what it has and the operating system lets be used.
const Processor& processor();

}  // namespace fresco
