#include "fresco/image/read_write.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "tests/image/goldens.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

Picture read_back(const std::string& bytes) { return read_picture(bytes_of(bytes), "test picture"); }

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

TEST(ReadPicture, GivesPillowsPixels) {
  for (const FileGolden& golden : kFileGoldens) {
    const Picture picture = read_back(from_base64(golden.base64));
    EXPECT_EQ(picture.width, golden.width) << golden.name;
    EXPECT_EQ(picture.height, golden.height) << golden.name;
    EXPECT_EQ(hash_of(to_rgb(picture)), golden.rgb) << golden.name;
    EXPECT_EQ(hash_of(to_grey(picture)), golden.grey) << golden.name;
  }
}

TEST(PictureSize, IsKnownFromTheFirstBytes) {
  for (const FileGolden& golden : kFileGoldens) {
    if (golden.name.starts_with("WebP turned")) continue;  // says so behind its pixels
    const std::string bytes = from_base64(golden.base64);
    const auto span = bytes_of(bytes);
    EXPECT_EQ(picture_size(span, "test"), (PictureSize{golden.width, golden.height})) << golden.name;
    for (size_t count = 0; count < bytes.size(); ++count) {
      const auto size = picture_size(span.subspan(0, count), "test");
      EXPECT_TRUE(!size || *size == (PictureSize{golden.width, golden.height})) << golden.name << " " << count;
    }
  }
  EXPECT_THROW(picture_size(bytes_of("GIF89a and so on"), "test"), FormatError);
  EXPECT_THROW(picture_size(bytes_of("\xff\xd8\xff\xd9\x01\x04 no frame in it"), "test"), FormatError);
}

TEST(ReadPicture, KeepsAlphaAndGrey) {
  for (const FileGolden& golden : kFileGoldens) {
    const int64_t channels = read_back(from_base64(golden.base64)).channels;
    if (golden.name == "RGBA" || golden.name == "grey and alpha" || golden.name == "WebP RGBA") {
      EXPECT_EQ(channels, 4) << golden.name;
    }
    if (golden.name == "one bit" || golden.name == "interlaced" || golden.name == "JPEG grey") {
      EXPECT_EQ(channels, 1) << golden.name;
    }
  }
}

TEST(WritePicture, LosslessFormatsComeBackWhole) {
  for (const auto& [width, height] : {std::pair<int64_t, int64_t>{1, 1}, {7, 5}, {64, 64}, {333, 2}}) {
    for (const int64_t channels : {1, 3, 4}) {
      const Picture picture = noise(width, height, channels);
      EXPECT_EQ(read_back(encode_picture(".png", picture)), picture);
      EXPECT_EQ(read_back(encode_picture(".webp", picture)), channels == 1 ? to_rgb(picture) : picture);
    }
  }
}

// Quality 95 divides by 1 to 10 (tables of ITU-T T.81, annex K, scaled by 0.1): a flat block is off
// by half of the first entry, 16 * 0.1 / 2 / 8 levels, and by the rounding of each colour
// conversion, 2 more.
TEST(WritePicture, JpegKeepsFlatColours) {
  Picture picture = blank_picture(40, 24, 3, "flat");
  for (size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<uint8_t>(60 * (i % 3) + 50);
  const Picture back = read_back(encode_picture(".jpg", picture));
  ASSERT_EQ(back.pixels.size(), picture.pixels.size());
  for (size_t i = 0; i < picture.pixels.size(); ++i) ASSERT_NEAR(back.pixels[i], picture.pixels[i], 3);
}

TEST(WritePicture, JpegDropsAlphaAndKeepsGrey) {
  EXPECT_EQ(read_back(encode_picture(".jpeg", noise(8, 8, 4))),
            read_back(encode_picture(".jpg", to_rgb(noise(8, 8, 4)))));
  EXPECT_EQ(read_back(encode_picture(".jpg", noise(8, 8, 1))).channels, 1);
}

TEST(WritePicture, SameCallGivesSameBytes) {
  const WriteOptions options{
      .texts = {{"parameters", "a 😀"}, {"fresco", "{}"}}, .jpeg_quality = 90, .webp_quality = 80};
  for (const char* extension : {".png", ".jpg", ".webp"}) {
    EXPECT_EQ(encode_picture(extension, noise(50, 40, 3), options),
              encode_picture(extension, noise(50, 40, 3), options));
  }
}

TEST(WritePicture, ChoosesTheFormatByExtension) {
  const TemporaryFolder folder;
  for (const auto& [name, start] :
       {std::pair{"a.png", "\x89PNG"}, {"b.JPG", "\xff\xd8\xff"}, {"c.jpeg", "\xff\xd8\xff"}, {"d.WebP", "RIFF"}}) {
    write_picture(folder / name, noise(6, 5, 3));
    EXPECT_TRUE(read_file(folder / name, 1 << 20).starts_with(start)) << name;
    EXPECT_EQ(read_picture(folder / name).width, 6);
  }
}

TEST(WritePicture, RefusesOtherExtensionsAndNamesTheKnownOnes) {
  const TemporaryFolder folder;
  for (const char* name : {"a.gif", "a", "a.png.txt", ".png"}) {
    try {
      write_picture(folder / name, noise(2, 2, 3));
      ADD_FAILURE() << name;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(".png, .jpg, .jpeg, .webp"), std::string::npos) << error.what();
    }
    EXPECT_THROW(check_picture_name(name), InputError);
  }
  EXPECT_NO_THROW(check_picture_name("a.png"));
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(WritePicture, OverwritesOnlyWhenAsked) {
  const TemporaryFolder folder;
  write_picture(folder / "a.png", noise(2, 2, 3));
  EXPECT_THROW(write_picture(folder / "a.png", noise(9, 9, 3)), InputError);
  EXPECT_EQ(read_picture(folder / "a.png"), noise(2, 2, 3));
  write_picture(folder / "a.png", noise(9, 9, 3), {}, /*overwrite=*/true);
  EXPECT_EQ(read_picture(folder / "a.png"), noise(9, 9, 3));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"a.png"});
}

TEST(WritePicture, NamesAFolderThatIsNotThere) {
  EXPECT_THROW(write_picture("/nowhere/at/all/a.png", noise(2, 2, 3)), InputError);
}

TEST(WritePicture, RefusesWhatAFormatCannotHold) {
  const WriteOptions long_text{.texts = {{"parameters", std::string(40'000, 'x')}}};
  EXPECT_THROW(encode_picture(".jpg", noise(4, 4, 3), long_text), InputError);
  EXPECT_NO_THROW(encode_picture(".png", noise(4, 4, 3), long_text));
  EXPECT_NO_THROW(encode_picture(".webp", noise(4, 4, 3), long_text));
  EXPECT_THROW(encode_picture(".webp", blank_picture(20'000, 1, 3, "wide"), {}), InputError);
  EXPECT_THROW(encode_picture(".jpg", blank_picture(70'000, 1, 3, "wide"), {}), InputError);
}

TEST(Oriented, TurnsLikeTheStandardsTable) {
  const Picture picture{.width = 3, .height = 2, .channels = 1, .pixels = {1, 2, 3, 4, 5, 6}};
  const std::vector<std::vector<uint8_t>> expected = {
      {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}, {1, 2, 3, 4, 5, 6}};
  for (int orientation = 0; orientation < 10; ++orientation) {
    const Picture turned = oriented(picture, orientation);
    EXPECT_EQ(turned.pixels, expected[static_cast<size_t>(orientation)]) << orientation;
    EXPECT_EQ(turned.width, orientation >= 5 && orientation <= 8 ? 2 : 3) << orientation;
  }
}

}  // namespace
}  // namespace fresco::image
