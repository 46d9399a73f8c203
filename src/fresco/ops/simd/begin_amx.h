// No include guard: opens the part of a source that is compiled for tiles of bfloat16 and 8-bit integers (Sapphire Rapids and later).
// See begin_avx2.h.
#if defined(__clang__)
#pragma clang attribute push(                                                                       \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,avx2,fma,f16c," \
                          "amx-tile,amx-bf16,amx-int8"))),                                          \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12's own header: bug 105593
#pragma GCC diagnostic ignored "-Wuninitialized"        // the same
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,avx2,fma,f16c,amx-tile,amx-bf16,amx-int8")
#endif
