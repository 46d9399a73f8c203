#pragma once
#include "fresco/image/picture.h"

namespace fresco::image {

/// nearest takes the pixel under the middle; the others spread over the source when shrinking (antialiased).
enum class Filter { nearest, box, bilinear, lanczos };

/// The same bytes as Image.resize of Pillow up to version 12 with that filter; alpha weighs the
/// colours, as there. Errors: FormatError when the size is not a picture's (see blank_picture).
Picture resize(const Picture& picture, int64_t width, int64_t height, Filter filter = Filter::lanczos);

}  // namespace fresco::image
