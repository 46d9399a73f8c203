#include "fresco/ops/simd/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>

#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {

constexpr Isa kAll[] = {Isa::avx512_bf16, Isa::avx512, Isa::avx2};

#if defined(__x86_64__)
// F16C, which clang's __builtin_cpu_supports does not know by name.
bool converts_halves() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

// __builtin_cpu_supports asks the operating system too whether it saves the registers.
Isa detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !converts_halves()) return Isa::none;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return Isa::avx2;
  const bool narrow = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
  return narrow ? Isa::avx512_bf16 : Isa::avx512;
#else
  return Isa::none;
#endif
}

}  // namespace

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512-bf16";
    case Isa::none:
      break;
  }
  return "none";
}

Isa native_isa() {
  static const Isa isa = detect();
  return isa;
}

Isa current_isa() {
  const std::string_view form = forced_form();
  if (form == "auto") return native_isa();
  for (const Isa isa : kAll) {
    if (name(isa) == form) return std::min(isa, native_isa());
  }
  return Isa::none;
}

std::vector<std::string_view> runnable_isas() {
  std::vector<std::string_view> names;
  for (const Isa isa : kAll) {
    if (isa <= native_isa()) names.push_back(name(isa));
  }
  return names;
}

}  // namespace fresco::ops
