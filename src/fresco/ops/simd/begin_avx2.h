// No include guard: opens the part of a source that is compiled for AVX2 with FMA and half-precision conversion (Haswell, Zen and later).
// Everything the source needs from the standard library is included before, so that none of it is compiled for this instruction set.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic push
#pragma GCC target("avx2,fma,f16c")
#endif
