#include "fresco/core/processor.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace fresco {
namespace {

int usable_threads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

#if defined(__x86_64__)

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t part = 0) {
  Registers r;
  if (__get_cpuid_max(leaf & 0x80000000, nullptr) >= leaf) __cpuid_count(leaf, part, r.a, r.b, r.c, r.d);
  return r;
}

bool bit(uint32_t word, int place) { return (word >> place & 1) != 0; }

// Registers that the operating system saves from task to task (XCR0).
uint64_t saved_state() {
  if (!bit(cpuid(1).c, 27)) return 0;
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}

std::string own_name() {
  std::string text;
  for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    const Registers r = cpuid(leaf);
    for (const uint32_t word : {r.a, r.b, r.c, r.d}) {
      std::array<char, 4> characters{};
      std::memcpy(characters.data(), &word, sizeof(word));
      text.append(characters.data(), characters.size());
    }
  }
  text.resize(std::min(text.size(), text.find('\0')));
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// Places of the bits: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, CPUID.
std::vector<InstructionSet> own_sets() {
  constexpr uint64_t kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000;
  const uint64_t saved = saved_state();
  const Registers basic = cpuid(1), extended = cpuid(7), more = cpuid(7, 1);
  std::vector<InstructionSet> sets;
  const auto add = [&](InstructionSet set, uint64_t state, bool present) {
    if (present && (saved & state) == state) sets.push_back(set);
  };
  const bool avx2 = bit(extended.b, 5) && bit(basic.c, 12) && bit(basic.c, 29);
  const bool avx512 = avx2 && bit(extended.b, 16) && bit(extended.b, 17) && bit(extended.b, 30) && bit(extended.b, 31);
  add(InstructionSet::avx2, kYmm, avx2);
  add(InstructionSet::avx512, kZmm, avx512);
  add(InstructionSet::avx_vnni, kYmm, avx2 && bit(more.a, 4));
  add(InstructionSet::avx512_vnni, kZmm, avx512 && bit(extended.c, 11));
  add(InstructionSet::avx512_bf16, kZmm, avx512 && bit(more.a, 5));
  add(InstructionSet::avx512_fp16, kZmm, avx512 && bit(extended.d, 23));
  add(InstructionSet::amx_int8, kTiles, bit(extended.d, 24) && bit(extended.d, 25));
  add(InstructionSet::amx_bf16, kTiles, bit(extended.d, 24) && bit(extended.d, 22));
  return sets;
}

#else

std::string own_name() { return {}; }
std::vector<InstructionSet> own_sets() { return {}; }

#endif

}  // namespace

std::string_view name(InstructionSet set) {
  constexpr std::string_view kNames[] = {"AVX2",         "AVX-512",      "AVX-VNNI", "AVX-512 VNNI",
                                         "AVX-512 BF16", "AVX-512 FP16", "AMX INT8", "AMX BF16"};
  return kNames[static_cast<int>(set)];
}

std::string_view name(Arithmetic arithmetic) {
  constexpr std::string_view kNames[] = {"float32", "bfloat16", "float16", "int8"};
  return kNames[static_cast<int>(arithmetic)];
}

bool Processor::has(InstructionSet set) const { return std::find(sets.begin(), sets.end(), set) != sets.end(); }

bool Processor::native(Arithmetic arithmetic) const {
  switch (arithmetic) {
    case Arithmetic::f32:
      return true;
    case Arithmetic::bf16:
      return has(InstructionSet::avx512_bf16) || has(InstructionSet::amx_bf16);
    case Arithmetic::f16:
      return has(InstructionSet::avx512_fp16);
    case Arithmetic::int8:
      return has(InstructionSet::avx_vnni) || has(InstructionSet::avx512_vnni) || has(InstructionSet::amx_int8);
  }
  return false;
}

const Processor& processor() {
  static const Processor found{.name = own_name(), .threads = usable_threads(), .sets = own_sets()};
  return found;
}

}  // namespace fresco
