#include "fresco/ops/simd/isa.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {

constexpr Isa kAll[] = {Isa::amx, Isa::avx512_bf16, Isa::avx512, Isa::avx2};

// Granted, every thread of this process may use tiles (Documentation/arch/x86/xstate.rst of Linux).
bool ask_for_tiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

std::atomic<Isa>& native() {
  static std::atomic<Isa> isa = best_isa(processor(), ask_for_tiles);
  return isa;
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
    case Isa::amx:
      return "amx";
    case Isa::none:
      break;
  }
  return "none";
}

std::span<const Isa> all_isas() { return kAll; }

Isa best_isa(const Processor& here, bool (*may_use_tiles)()) {
  const auto has = [&](auto... sets) { return (here.has(sets) && ...); };
  if (!has(InstructionSet::avx2)) return Isa::none;
  if (!has(InstructionSet::avx512)) return Isa::avx2;
  if (!has(InstructionSet::avx512_bf16, InstructionSet::avx512_vnni)) return Isa::avx512;
  if (!has(InstructionSet::amx_bf16, InstructionSet::amx_int8)) return Isa::avx512_bf16;
  return may_use_tiles() ? Isa::amx : Isa::avx512_bf16;
}

Isa native_isa() { return native(); }
void pretend_native_isa(Isa isa) { native() = isa; }

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
