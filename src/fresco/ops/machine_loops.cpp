#include "fresco/ops/machine_loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fresco::ops {

#if defined(__x86_64__)
namespace {

// Sums that do not wait for each other: two multiply-adds a cycle that take four cycles or five want ten at least. The empty
// assembly says that a sum is used, so that no turn can be left out.
constexpr int kSums = 12;      // of 16 registers
constexpr int kMoreSums = 24;  // of 32

void run_sse2(int64_t turns) {
  const __m128 x = _mm_set1_ps(0.5f);
  __m128 sums[kSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m128& sum : sums) {
      sum = _mm_add_ps(_mm_mul_ps(x, sum), x);
      __asm__ volatile("" : "+x"(sum));
    }
  }
}

__attribute__((target("avx2,fma"))) void run_avx2(int64_t turns) {
  const __m256 x = _mm256_set1_ps(0.5f);
  __m256 sums[kSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m256& sum : sums) {
      sum = _mm256_fmadd_ps(x, x, sum);
      __asm__ volatile("" : "+x"(sum));
    }
  }
}

__attribute__((target("avx512f"))) void run_avx512(int64_t turns) {
  const __m512 x = _mm512_set1_ps(0.5f);
  __m512 sums[kMoreSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m512& sum : sums) {
      sum = _mm512_fmadd_ps(x, x, sum);
      __asm__ volatile("" : "+v"(sum));
    }
  }
}

__attribute__((target("avx512f,avx512bf16"))) void run_bf16(int64_t turns) {
  const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  __m512 sums[kMoreSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, x, x);
      __asm__ volatile("" : "+v"(sum));
    }
  }
}

__attribute__((target("avx512f,avx512vnni"))) void run_avx512_vnni(int64_t turns) {
  const __m512i x = _mm512_set1_epi8(3);
  __m512i sums[kMoreSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m512i& sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, x, x);
      __asm__ volatile("" : "+v"(sum));
    }
  }
}

__attribute__((target("avx2,avxvnni"))) void run_avx_vnni(int64_t turns) {
  const __m256i x = _mm256_set1_epi8(3);
  __m256i sums[kSums] = {};
  for (int64_t i = 0; i < turns; ++i) {
#pragma GCC unroll 32
    for (__m256i& sum : sums) {
      sum = _mm256_dpbusd_avx_epi32(sum, x, x);
      __asm__ volatile("" : "+x"(sum));
    }
  }
}

__attribute__((target("avx2"))) uint64_t read_avx2(const std::byte* block, size_t bytes) {
  __m256i sums[8] = {};
  for (size_t i = 0; i < bytes; i += sizeof(sums)) {
#pragma GCC unroll 8
    for (size_t k = 0; k < 8; ++k)
      sums[k] = _mm256_add_epi64(sums[k], _mm256_load_si256(reinterpret_cast<const __m256i*>(block + i) + k));
  }
  for (size_t k = 1; k < 8; ++k) sums[0] = _mm256_add_epi64(sums[0], sums[k]);
  return static_cast<uint64_t>(_mm256_extract_epi64(sums[0], 0));
}

}  // namespace

std::vector<MachineLoop> machine_loops() {
  const Processor& here = processor();
  std::vector<MachineLoop> loops;
  if (!here.has(InstructionSet::avx2)) loops.push_back({Arithmetic::f32, "SSE2", 2 * 4 * kSums, run_sse2});
  const auto add = [&](InstructionSet set, Arithmetic arithmetic, double flops, void (*run)(int64_t)) {
    if (here.has(set)) loops.push_back({arithmetic, name(set), flops, run});
  };
  add(InstructionSet::avx2, Arithmetic::f32, 2 * 8 * kSums, run_avx2);
  add(InstructionSet::avx512, Arithmetic::f32, 2 * 16 * kMoreSums, run_avx512);
  add(InstructionSet::avx512_bf16, Arithmetic::bf16, 2 * 32 * kMoreSums, run_bf16);
  if (!here.has(InstructionSet::avx512_vnni))
    add(InstructionSet::avx_vnni, Arithmetic::int8, 2 * 32 * kSums, run_avx_vnni);
  add(InstructionSet::avx512_vnni, Arithmetic::int8, 2 * 64 * kMoreSums, run_avx512_vnni);
  return loops;
}

#else

std::vector<MachineLoop> machine_loops() { return {}; }

#endif

uint64_t read_all(const std::byte* block, size_t bytes) {
#if defined(__x86_64__)
  if (processor().has(InstructionSet::avx2)) return read_avx2(block, bytes);
#endif
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) sum += *reinterpret_cast<const uint64_t*>(block + i);
  return sum;
}

}  // namespace fresco::ops
