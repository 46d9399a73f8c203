#include "fresco/ops/attention/flash.h"

#include <algorithm>

#include "fresco/ops/parallel.h"

namespace fresco::ops::flash {
namespace {

constexpr int64_t kKeyPanels = 32;  // that a task packs
constexpr int64_t kQueries =
    256;  // of a task at most: all keys and values travel from beyond the second cache for each task
constexpr int64_t kTasksPerThread = 4;  // so that a thread that starts late costs little

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

Head head_of(const Call& call, int64_t i) { return {i / call.heads, i % call.heads}; }

}  // namespace

void attend(const Kernel& kernel, const Call& call, std::byte* packed) {
  const int64_t heads = call.batch * call.heads;
  const auto packed_head = [&, bytes = kernel.packed_bytes(call)](int64_t head) { return packed + bytes * head; };

  const int64_t keys = divided_up(call.keys, kernel.key_panel), parts = divided_up(keys, kKeyPanels);
  parallel_for(heads * parts, 0, [&](int64_t i, std::byte*) {
    const int64_t head = i / parts, first = i % parts * kKeyPanels;
    kernel.pack(call, head_of(call, head), {first, std::min(kKeyPanels, keys - first)}, packed_head(head));
  });

  // Neither the number of threads nor how queries are shared out changes what is computed for one of them.
  const int64_t panels = divided_up(call.queries, kernel.query_panel);
  const int64_t wanted = divided_up(kTasksPerThread * thread_count(), heads);  // blocks of each head
  const int64_t most = std::clamp<int64_t>(panels / wanted, 1, kQueries / kernel.query_panel);
  const int64_t blocks = divided_up(panels, most);
  parallel_for(heads * blocks, kernel.scratch_bytes(call, most), [&](int64_t i, std::byte* scratch) {
    const int64_t head = i / blocks, block = i % blocks;
    const int64_t first = panels * block / blocks, end = panels * (block + 1) / blocks;
    kernel.attend(call, head_of(call, head), {first, end - first}, packed_head(head), scratch);
  });
}

}  // namespace fresco::ops::flash
