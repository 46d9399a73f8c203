#include "fresco/image/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/core/error.h"

namespace fresco::image {
namespace {

void paste(const Picture& rgb, Picture& sheet, int64_t top, int64_t left) {
  for (int64_t y = 0; y < rgb.height; ++y) std::copy_n(rgb.at(y, 0), rgb.width * 3, sheet.at(top + y, left));
}

}  // namespace

Picture make_grid(const std::vector<Picture>& pictures, const GridOptions& options) {
  if (pictures.empty()) throw InputError("grid", expected_got("at least one picture", "none"));
  const auto count = static_cast<int64_t>(pictures.size());
  const auto square = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int64_t columns = std::min(count, options.columns > 0 ? options.columns : square);
  const int64_t rows = (count + columns - 1) / columns;
  int64_t cell_width = 0, cell_height = 0;
  for (const Picture& picture : pictures) {
    cell_width = std::max(cell_width, picture.width + options.border);
    cell_height = std::max(cell_height, picture.height + options.border);
  }
  const int64_t most_rows = kLargestPixels / (columns * cell_width);
  if (rows * cell_height > most_rows) {
    throw InputError("grid", fmt::format("{} pictures of {}x{} make a sheet beyond {} megapixels", count, cell_width,
                                         cell_height, kLargestPixels / 1'000'000));
  }
  Picture sheet = blank_picture(columns * cell_width - options.border, rows * cell_height - options.border, 3, "grid");
  for (int64_t i = 0; i < count; ++i) {
    paste(to_rgb(pictures[static_cast<size_t>(i)]), sheet, i / columns * cell_height, i % columns * cell_width);
  }
  return sheet;
}

}  // namespace fresco::image
