#include "fresco/image/planes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fresco/core/error.h"
#include "fresco/image/grid.h"
#include "fresco/image/resize.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

TEST(Planes, BytesComeBackExactly) {
  for (const int64_t channels : {1, 3, 4}) {
    const Picture picture = noise(13, 7, channels);
    const auto planes = to_planes(picture);
    EXPECT_EQ(planes[static_cast<size_t>(13 * 7 * (channels - 1))],
              static_cast<float>(picture.at(0, 0)[channels - 1]) / 255.0f);
    EXPECT_EQ(from_planes(planes.data(), channels, 7, 13), picture);
  }
}

TEST(Planes, RoundHalfToEvenAndClamp) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const struct {
    float value;
    int byte;
  } cases[] = {{0, 0},          {1, 255},        {0.5f, 128},     {0.1f, 26} /* 25.5 */,
               {0.5f / 255, 0}, {1.5f / 255, 2}, {2.5f / 255, 2}, {-0.5f, 0},
               {2, 255},        {inf, 255},      {-inf, 0},       {nan, 0},
               {1e-30f, 0}};
  for (const auto& [value, byte] : cases) EXPECT_EQ(from_planes(&value, 1, 1, 1).pixels[0], byte) << value;
}

TEST(Masks, AreOneFromTheMiddleOn) {
  Picture grey = blank_picture(256, 1, 1, "ramp");
  for (size_t i = 0; i < 256; ++i) grey.pixels[i] = static_cast<uint8_t>(i);
  const auto mask = mask_planes(grey, 256, 1);
  for (size_t i = 0; i < 256; ++i) EXPECT_EQ(mask[i], i >= 128 ? 1 : 0) << i;
}

TEST(Masks, AreResizedInColourFirst) {
  const Picture picture = noise(20, 30, 4);
  const Picture grey = to_grey(resize(to_rgb(picture), 16, 8));
  const auto mask = mask_planes(picture, 16, 8);
  ASSERT_EQ(mask.size(), grey.pixels.size());
  for (size_t i = 0; i < mask.size(); ++i) EXPECT_EQ(mask[i], grey.pixels[i] >= 128 ? 1 : 0);
}

TEST(Masks, LatentsTakeTheFirstPixelOfEachBlock) {
  std::vector<float> mask(16 * 24);
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = static_cast<float>(i);
  EXPECT_EQ(latent_mask(mask, 16, 24), (std::vector<float>{0, 8, 16, 8 * 24, 8 * 24 + 8, 8 * 24 + 16}));
}

TEST(Grid, IsNearlySquareAndFilledRowByRow) {
  const struct {
    size_t count;
    int64_t columns_asked, columns, rows;
  } cases[] = {{1, 0, 1, 1}, {2, 0, 2, 1}, {3, 0, 2, 2}, {4, 0, 2, 2},
               {5, 0, 3, 2}, {7, 0, 3, 3}, {6, 2, 2, 3}, {3, 9, 3, 1}};
  for (const auto& [count, asked, columns, rows] : cases) {
    std::vector<Picture> pictures;
    for (size_t i = 0; i < count; ++i) {
      pictures.push_back(blank_picture(4, 3, 3, "cell"));
      std::fill(pictures.back().pixels.begin(), pictures.back().pixels.end(), static_cast<uint8_t>(i + 1));
    }
    const Picture sheet = make_grid(pictures, {.columns = asked});
    EXPECT_EQ(sheet.width, 4 * columns) << count;
    EXPECT_EQ(sheet.height, 3 * rows) << count;
    for (int64_t cell = 0; cell < columns * rows; ++cell) {
      const int64_t level = cell < static_cast<int64_t>(count) ? cell + 1 : 0;
      EXPECT_EQ(*sheet.at(cell / columns * 3 + 2, cell % columns * 4 + 3), level)
          << count << " pictures, cell " << cell;
    }
  }
}

TEST(Grid, TakesBordersAndPicturesOfAnyKind) {
  const Picture sheet = make_grid({noise(4, 3, 1), noise(2, 5, 4), noise(3, 3, 3)}, {.columns = 2, .border = 2});
  EXPECT_EQ(sheet.width, 4 + 2 + 4);
  EXPECT_EQ(sheet.height, 5 + 2 + 5);
  EXPECT_EQ(*sheet.at(0, 4), 0);
  EXPECT_EQ(*sheet.at(7, 0), *noise(3, 3, 3).at(0, 0));
  EXPECT_THROW(make_grid({}), InputError);
  EXPECT_THROW(make_grid(std::vector<Picture>(3, noise(1, 9000, 1)), {.columns = 1, .border = 4000}), InputError);
}

}  // namespace
}  // namespace fresco::image
