#include "fresco/ops/gemm/gemm.h"

#include <algorithm>

#include "fresco/ops/parallel.h"

namespace fresco::ops::gemm {
namespace {

constexpr int64_t kTasksPerThread = 4;  // so that a thread that starts late costs little

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where blocks are few, as many for each thread: 15 of them would keep one of two threads waiting for an eighth of the time.
int64_t even_share(int64_t blocks) {
  constexpr int64_t kMany = 16;
  const int64_t threads = thread_count();
  return blocks > threads && blocks < kMany * threads ? divided_up(blocks, threads) * threads : blocks;
}

}  // namespace

void multiply(const Kernel& kernel, const Call& call) {
  // Rows are dealt out in whole tiles.
  const int64_t tiles = divided_up(call.count, kernel.tile), panels = call.weights.panels();
  const int64_t row_blocks = even_share(divided_up(tiles, kMaxRows / kernel.tile));
  // Narrower blocks where there are few rows, so that all threads have work.
  const int64_t wanted = divided_up(kTasksPerThread * thread_count(), row_blocks);
  const int64_t most = kMaxColumns / kernel.panel;
  const int64_t width = std::clamp<int64_t>(panels / wanted, 1, most);
  const int64_t column_blocks = divided_up(panels, width);
  parallel_for(row_blocks * column_blocks, kScratchBytes, [&](int64_t i, std::byte* scratch) {
    const int64_t row = i % row_blocks, column = i / row_blocks;
    const int64_t first = tiles * row / row_blocks * kernel.tile;
    const int64_t end = std::min(call.count, tiles * (row + 1) / row_blocks * kernel.tile);
    const int64_t panel = panels * column / column_blocks, panel_end = panels * (column + 1) / column_blocks;
    kernel.multiply(call, {first, end - first, panel, panel_end - panel}, scratch);
  });
}

}  // namespace fresco::ops::gemm
