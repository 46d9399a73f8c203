#include "fresco/image/preview.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "fresco/image/planes.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

// Four channels of numbers between -1 and 1.
std::vector<float> latents_of(int64_t h, int64_t w) {
  std::vector<float> latents;
  for (const uint8_t byte : noise(w, h, 4).pixels) latents.push_back(static_cast<float>(byte) / 127.5f - 1);
  return latents;
}

TEST(Preview, MixesTheChannels) {
  const std::vector<float> none(4 * 6, 0.0f);
  const Picture grey = preview(none.data(), 2, 3);
  EXPECT_EQ(grey.width, 24);
  EXPECT_EQ(grey.height, 16);
  for (const uint8_t byte : grey.pixels) EXPECT_EQ(byte, 128);  // 127.5, to even
  std::vector<float> first = none;
  std::fill_n(first.begin(), 6, 1.0f);
  const Picture tinted = preview(first.data(), 2, 3, stable_diffusion_colours(), 1);
  EXPECT_EQ(tinted.pixels[0], 165);  // (1 + 0.298) / 2 * 255 = 165.5-, in float just below
  EXPECT_EQ(tinted.pixels[1], 154);  // (1 + 0.207) / 2 * 255 = 153.9
}

TEST(Preview, SurvivesAnyNumbers) {
  std::vector<float> latents = latents_of(4, 4);
  latents[3] = std::numeric_limits<float>::quiet_NaN();
  latents[20] = std::numeric_limits<float>::infinity();
  EXPECT_NO_THROW(preview(latents.data(), 4, 4));
  EXPECT_NO_THROW(preview(latents.data(), 4, 4, spread_colours(latents.data(), 4, 4)));
  EXPECT_NO_THROW(preview(latents.data(), 4, 4, fit_colours(latents.data(), 4, 4, noise(32, 32, 3))));
}

// The target is rounded to bytes, so the fit is off by less than 1/255 of the weights' size.
TEST(Preview, FitFindsTheColoursThatMadeThePicture) {
  const LatentColours truth{
      .weights = {{{0.1f, 0.02f, 0.03f}, {0.04f, 0.08f, -0.02f}, {-0.05f, 0.03f, 0.1f}, {-0.06f, -0.02f, 0.01f}}},
      .bias = {0.5f, 0.45f, 0.55f}};
  const std::vector<float> latents = latents_of(24, 24);
  const Picture decoded = preview(latents.data(), 24, 24, truth, 1);
  const LatentColours fitted = fit_colours(latents.data(), 24, 24, decoded);
  for (size_t c = 0; c < 3; ++c) {
    for (size_t l = 0; l < 4; ++l) EXPECT_NEAR(fitted.weights[l][c], truth.weights[l][c], 1.0 / 255);
    EXPECT_NEAR(fitted.bias[c], truth.bias[c], 1.0 / 255);
  }
}

TEST(Preview, SpreadColoursUseTheWholeRange) {
  const std::vector<float> latents = latents_of(16, 16);
  const Picture picture = preview(latents.data(), 16, 16, spread_colours(latents.data(), 16, 16), 1);
  double sum = 0;
  for (const uint8_t byte : picture.pixels) sum += byte;
  EXPECT_NEAR(sum / static_cast<double>(picture.pixels.size()), 127.5, 1);
}

}  // namespace
}  // namespace fresco::image
