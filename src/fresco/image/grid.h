#pragma once
#include <vector>

#include "fresco/image/picture.h"

namespace fresco::image {

struct GridOptions {
  int64_t columns = 0;  // 0: as many as rows, or one more
  int64_t border = 0;   // pixels between pictures, black
};

/// One RGB sheet, filled row by row; each cell has the size of the largest picture, and a smaller
/// one lies in its upper left. Errors: InputError without pictures or when the sheet would be
/// beyond kLargestPixels.
Picture make_grid(const std::vector<Picture>& pictures, const GridOptions& options = {});

}  // namespace fresco::image
