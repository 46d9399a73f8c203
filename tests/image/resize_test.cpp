#include "fresco/image/resize.h"

#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "tests/image/goldens.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

TEST(Resize, GivesPillowsBytes) {
  for (const auto& [channels, width, height, to_width, to_height, filter, hash] : kResizeGoldens) {
    const Picture result = resize(noise(width, height, channels), to_width, to_height, filter);
    EXPECT_EQ(result.width, to_width);
    EXPECT_EQ(result.height, to_height);
    EXPECT_EQ(hash_of(result), hash) << channels << " channels, " << width << "x" << height << " to " << to_width << "x"
                                     << to_height << ", filter " << static_cast<int>(filter);
  }
}

TEST(Resize, LeavesASizeThatFitsAlone) {
  const Picture picture = noise(31, 17, 3);
  EXPECT_EQ(resize(picture, 31, 17), picture);
}

TEST(Resize, KeepsAFlatPictureFlat) {
  for (const Filter filter : {Filter::nearest, Filter::box, Filter::bilinear, Filter::lanczos}) {
    for (const int level : {0, 1, 127, 255}) {
      Picture flat = blank_picture(37, 23, 3, "flat");
      std::fill(flat.pixels.begin(), flat.pixels.end(), static_cast<uint8_t>(level));
      for (const uint8_t byte : resize(flat, 64, 9, filter).pixels) ASSERT_EQ(byte, level);
    }
  }
}

TEST(Resize, RefusesAbsurdSizes) {
  const Picture picture = noise(4, 4, 3);
  for (const auto& [width, height] :
       {std::pair<int64_t, int64_t>{0, 4}, {4, -1}, {int64_t{1} << 40, int64_t{1} << 40}}) {
    EXPECT_THROW(resize(picture, width, height), FormatError) << width << "x" << height;
    EXPECT_THROW(resize(picture, width, height, Filter::nearest), FormatError) << width << "x" << height;
  }
}

}  // namespace
}  // namespace fresco::image
