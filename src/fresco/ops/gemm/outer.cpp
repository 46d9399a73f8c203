#include "fresco/ops/gemm/outer.h"

#include <algorithm>

#include "fresco/ops/parallel.h"

namespace fresco::ops::outer {
namespace {

constexpr int64_t kPackedBytes = 8 << 20;             // of both matrices at a time: they stay in the last-level cache
constexpr int64_t kDepth = 192;                       // of a tile's panels, which stay in the first cache; even
constexpr int64_t kPackRows = 64;                     // of a task that packs; even
constexpr int64_t kRowPanels = 8, kColumnPanels = 4;  // of a task that multiplies, at most
constexpr int64_t kTasksPerThread = 4;

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t rounded_up(int64_t a, int64_t b) { return divided_up(a, b) * b; }

// One packed matrix: some rows of all its columns.
struct Side {
  const gemm::Rows& rows;
  int64_t width;        // of a panel
  int64_t panels;       // in all
  int64_t panel_bytes;  // of as many rows as there is room for
  std::byte* data;

  const std::byte* at(const Kernel& kernel, int64_t panel, int64_t depth) const {
    return data + panel * panel_bytes + depth * width * kernel.bytes_each;
  }
};

void pack(const Kernel& kernel, const Side& side, int64_t first, int64_t count) {
  const auto row_bytes = static_cast<size_t>(2 * side.rows.depth()) * sizeof(float);
  parallel_for(divided_up(count, kPackRows), row_bytes, [&](int64_t i, std::byte* scratch) {
    const int64_t from = i * kPackRows, n = std::min(kPackRows, count - from);
    kernel.pack(side.rows, first + from, n, side.width, side.data + from * side.width * kernel.bytes_each,
                side.panel_bytes, reinterpret_cast<float*>(scratch));
  });
}

struct Tiles {
  int64_t row, rows, column, columns;  // panels
};

void multiply_tiles(const Kernel& kernel, const Call& call, const Side& a, const Side& b, const Tiles& tiles,
                    int64_t depth, bool accumulate) {
  for (int64_t k = 0; k < depth; k += kDepth) {
    for (int64_t column = tiles.column; column < tiles.column + tiles.columns; ++column) {
      for (int64_t row = tiles.row; row < tiles.row + tiles.rows; ++row) {
        const int64_t r = row * a.width, c = column * b.width;
        kernel.multiply(std::min(kDepth, depth - k), a.at(kernel, row, k), b.at(kernel, column, k),
                        std::min(a.width, call.a.depth() - r), std::min(b.width, call.b.depth() - c),
                        accumulate || k > 0, call.c + r * call.c_stride + c, call.c_stride);
      }
    }
  }
}

// As many blocks of panels as keep all threads busy, none larger than `most`.
int64_t blocks_of(int64_t panels, int64_t most, int64_t wanted) {
  return std::min(panels, std::max(divided_up(panels, most), wanted));
}

}  // namespace

void multiply(const Kernel& kernel, const Call& call) {
  const int64_t row_panels = divided_up(call.a.depth(), kernel.rows);
  const int64_t column_panels = divided_up(call.b.depth(), kernel.columns);
  const int64_t row_bytes = (row_panels * kernel.rows + column_panels * kernel.columns) * kernel.bytes_each;
  const int64_t most = std::max(kDepth, kPackedBytes / row_bytes / kDepth * kDepth);
  const int64_t room = std::min(most, rounded_up(call.depth, 2));
  std::byte* scratch = shared_scratch(static_cast<size_t>(room * row_bytes));
  const Side a{call.a, kernel.rows, row_panels, room * kernel.rows * kernel.bytes_each, scratch};
  const Side b{call.b, kernel.columns, column_panels, room * kernel.columns * kernel.bytes_each,
               scratch + row_panels * a.panel_bytes};
  const int64_t wanted = kTasksPerThread * thread_count();
  const int64_t down = blocks_of(row_panels, kRowPanels, divided_up(wanted, column_panels));
  const int64_t across = blocks_of(column_panels, kColumnPanels, divided_up(wanted, down));
  for (int64_t first = 0; first < call.depth; first += most) {
    const int64_t count = std::min(most, call.depth - first);
    pack(kernel, a, first, count);
    pack(kernel, b, first, count);
    parallel_for(down * across, 0, [&](int64_t i, std::byte*) {
      const int64_t row = i % down, column = i / down;
      const int64_t r = row_panels * row / down, c = column_panels * column / across;
      const Tiles tiles{r, row_panels * (row + 1) / down - r, c, column_panels * (column + 1) / across - c};
      multiply_tiles(kernel, call, a, b, tiles, count, first > 0);
    });
  }
}

}  // namespace fresco::ops::outer
