#pragma once
// What this machine can run, in words.
#include <string>

#include "fresco/core/json.h"
#include "fresco/ops/machine_rate.h"

namespace fresco::cli {

/// "AVX2, AVX-512"; "none beyond the processor's basic ones" when there are none that fresco has kernels for.
std::string instruction_sets_text();
/// "float32, bfloat16, int8": numbers that are multiplied by instructions of their own.
std::string native_text();
/// "avx512-bf16, avx512, avx2": forms of the operators for --ops that run here, best first.
std::string forms_text();
/// "float32 497, bfloat16 985, int8 1950 GFLOP/s; memory 71 GB/s"; empty when nothing was measured.
std::string rates_text(const ops::MachineRates& rates);

/// "int8 55 dB, bf16 57 dB, f32 exact; fast is int8": what --precision runs by instructions of its own, and what each was measured
/// to be from the exact picture.
std::string precisions_text();

/// name, threads, instruction_sets, forms, native, precisions, rates
Json machine_json(const ops::MachineRates& rates);

}  // namespace fresco::cli
