#pragma once
// Attention with a running softmax over blocks of keys (Dao et al. 2022), on plain memory. Free of libtorch.
//
// All is done turned about: scores [keys, queries], sums [D, queries]. Queries fill the lanes of vectors, so that the largest score, the
// sum and the rescaling of a query need nothing across lanes, and no head size leaves lanes empty.
#include <cstddef>
#include <cstdint>

namespace fresco::ops::flash {

/// [B, rows, N*D]: heads side by side, elements of a row dense.
struct Matrix {
  const float* data = nullptr;
  int64_t batch_stride = 0;  // floats
  int64_t row_stride = 0;
};

struct Call {
  Matrix q, k, v;
  int64_t batch = 0, heads = 0;              // B, N
  int64_t queries = 0, keys = 0, width = 0;  // T, S, D
  bool causal = false;
  float* out = nullptr;  // [B, T, N*D], dense
};

struct Head {
  int64_t sample, index;
};

/// Panels [first, first + count) of keys or of queries.
struct Panels {
  int64_t first, count;
};

/// One instruction set's code for one kind of products.
struct Kernel {
  int64_t query_panel;  // queries that are worked on at once
  int64_t key_panel;    // keys that are packed together
  /// Bytes of the packed keys and values of one head, a multiple of 64.
  size_t (*packed_bytes)(const Call& call);
  /// Of the scratch memory that so many panels of queries take.
  size_t (*scratch_bytes)(const Call& call, int64_t panels);
  /// Packs some of a head's keys and values into its packed memory.
  void (*pack)(const Call& call, const Head& head, const Panels& keys, std::byte* packed);
  /// Some of a head's queries. packed: the whole head; scratch: aligned to 64.
  void (*attend)(const Call& call, const Head& head, const Panels& queries, const std::byte* packed,
                 std::byte* scratch);
};

extern const Kernel kAvx2;
extern const Kernel kAvx512;
extern const Kernel kAvx512Bf16;  // products of bfloat16; sums and softmax in float32

/// Computes the whole on all threads of this process's pool. packed: kernel.packed_bytes(call) for each of the B*N heads, aligned to 64.
void attend(const Kernel& kernel, const Call& call, std::byte* packed);

}  // namespace fresco::ops::flash
