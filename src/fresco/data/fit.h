#pragma once
// Which size a picture is brought to, and how. Free of libtorch.
#include <cstdint>
#include <vector>

#include "fresco/data/source_settings.h"
#include "fresco/image/picture.h"
#include "fresco/image/picture_size.h"

namespace fresco::data {

/// The square alone; with buckets also the widths and heights in steps of 64 whose area comes nearest below resolution^2, both ways round,
/// up to the greatest aspect (as NovelAI published it and kohya's sd-scripts do). By height, then width.
/// Errors: InputError for a resolution below 8 or beyond 16384, and with buckets for one below 64.
std::vector<image::PictureSize> bucket_sizes(const FitSettings& fit);

/// The bucket whose aspect is nearest, by the ratio of both; of equals the first.
size_t nearest_bucket(const std::vector<image::PictureSize>& buckets, image::PictureSize picture);

/// The least size of the picture's own aspect that covers `target`.
image::PictureSize covering(image::PictureSize picture, image::PictureSize target);

/// Resized (Lanczos, antialiased) to cover `target`, its middle cut out: RGB. Small pictures are enlarged.
image::Picture fitted(const image::Picture& picture, image::PictureSize target);

}  // namespace fresco::data
