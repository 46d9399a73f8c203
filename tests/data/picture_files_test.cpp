#include "fresco/data/picture_files.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/data/fit.h"
#include "tests/data/scratch.h"

namespace fresco::data {
namespace {

using image::PictureSize;
using testing::ElementsAre;

TEST(Fit, BucketsAreThoseOfTheirPublicDescription) {
  EXPECT_THAT(bucket_sizes({.resolution = 128, .buckets = true}), ElementsAre(PictureSize{128, 128}));
  EXPECT_THAT(bucket_sizes({.resolution = 512}), ElementsAre(PictureSize{512, 512}));
  const auto sizes = bucket_sizes({.resolution = 512, .buckets = true, .max_bucket_aspect = 2});
  EXPECT_THAT(sizes, ElementsAre(PictureSize{640, 384}, PictureSize{576, 448}, PictureSize{512, 512},
                                 PictureSize{448, 576}, PictureSize{384, 640}));
  EXPECT_EQ(bucket_sizes({.resolution = 512, .buckets = true, .max_bucket_aspect = 4}).size(), 17U);
}

TEST(Fit, ThePictureGoesWhereItsAspectIsNearest) {
  const auto sizes = bucket_sizes({.resolution = 512, .buckets = true});
  for (const auto& [picture, bucket] : {std::pair{PictureSize{900, 900}, PictureSize{512, 512}},
                                        {PictureSize{640, 480}, PictureSize{576, 448}},
                                        {PictureSize{480, 640}, PictureSize{448, 576}},
                                        {PictureSize{4000, 100}, PictureSize{640, 384}}})
    EXPECT_EQ(sizes[nearest_bucket(sizes, picture)], bucket) << picture.width << "x" << picture.height;
}

TEST(Fit, CoveringKeepsTheAspectAndLeavesNoGap) {
  for (const PictureSize picture : {PictureSize{640, 480}, {1, 1000}, {1000, 1}, {33, 47}, {4000, 3000}}) {
    const PictureSize size = covering(picture, {128, 64});
    EXPECT_TRUE(size.width >= 128 && size.height >= 64);
    EXPECT_TRUE(size.width == 128 || size.height == 64);
  }
  EXPECT_EQ(covering({640, 480}, {64, 64}), (PictureSize{85, 64}));
}

TEST(Fit, ResolutionsOutOfRangeAreRefused) {
  EXPECT_THROW(bucket_sizes({.resolution = 4}), InputError);
  EXPECT_THROW(bucket_sizes({.resolution = 32, .buckets = true}), InputError);
  EXPECT_THROW(bucket_sizes({.resolution = int64_t{1} << 40}), InputError);
}

TEST(PictureFiles, GivesPicturesOfTheirBucketsSize) {
  const Scratch scratch;
  const std::vector<PictureSize> sizes = {{300, 100}, {256, 256}, {100, 300}, {512, 500}};
  for (size_t k = 0; k < sizes.size(); ++k) {
    scratch.write(fmt::format("in/{}.jpg", k), slope_file(".jpg", sizes[k].width, sizes[k].height, 200));
    scratch.write(fmt::format("in/{}.txt", k), fmt::format("number {}", k));
  }
  const FitSettings fit{.resolution = 128, .buckets = true, .max_bucket_aspect = 4};
  const PictureFiles set({{.path = scratch.path("in")}, {.path = "shapes", .count = 2}}, fit,
                         {.cache = scratch / "cache"});
  ASSERT_EQ(set.size(), 6);
  ASSERT_EQ(set.buckets().size(), 3U);
  EXPECT_THAT(set.buckets()[0].positions, ElementsAre(0));
  EXPECT_THAT(set.buckets()[1].positions, ElementsAre(1, 3, 4, 5));
  EXPECT_THAT(set.buckets()[2].positions, ElementsAre(2));
  for (const Bucket& bucket : set.buckets()) {
    for (const int64_t position : bucket.positions) {
      const at::Tensor picture = set.picture(position, false);
      EXPECT_EQ(picture.sizes(), (at::IntArrayRef{3, bucket.height, bucket.width}));
      EXPECT_LE(picture.abs().max().item<float>(), 1);
    }
  }
  EXPECT_EQ(set.caption(2), "number 2");
  EXPECT_EQ(set.key(3), "3.jpg");
  EXPECT_EQ(set.attributes(4).at("size").is_string(), true);
}

TEST(PictureFiles, PixelsAreThePicturesOwn) {
  const Scratch scratch;
  scratch.write("in/a.png", slope_file(".png", 96, 64, 51));
  scratch.write("in/a.txt", "x");
  const PictureFiles set({{.path = scratch.path("in")}}, {.resolution = 64}, {.cache = scratch / "cache"});
  const at::Tensor plain = set.picture(0, false), mirrored = set.picture(0, true);
  EXPECT_NEAR(plain[1][5][5].item<float>(), 51 / 127.5 - 1, 1e-6);
  // The middle 64 of 96 columns.
  EXPECT_NEAR(plain[0][0][0].item<float>(), (255 * 16 / 96) / 127.5 - 1, 1e-6);
  EXPECT_TRUE(at::equal(mirrored, plain.flip(2)));
}

// A JPEG decoded at a fraction of its size and one decoded whole, both shrunk to the same: a slope without detail differs by rounding and by
// what the filters do at the rim, where the block transform reaches over the edge of the picture.
TEST(PictureFiles, AFractionOfAJpegLooksLikeTheWhole) {
  const std::string bytes = slope_file(".jpg", 1000, 800, 90);
  const auto span = std::as_bytes(std::span(bytes));
  const image::Picture small = image::read_picture_at_least(span, "jpeg", {150, 120});
  EXPECT_EQ(small.width, 250);
  EXPECT_EQ(small.height, 200);
  const image::Picture a = fitted(small, {100, 80}), b = fitted(image::read_picture(span, "jpeg"), {100, 80});
  for (size_t i = 0; i < a.pixels.size(); ++i) ASSERT_NEAR(a.pixels[i], b.pixels[i], 3) << i;
  EXPECT_EQ(image::read_picture_at_least(span, "jpeg", {2000, 10}).width, 1000);
}

}  // namespace
}  // namespace fresco::data
