// Files that are not what they claim to be: one clear error, or a picture; never a crash.
#include <gtest/gtest.h>
#include <zlib.h>

#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/image/read_write.h"
#include "tests/image/goldens.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

using namespace std::string_literals;

// Reads; a FormatError of one line that begins with the name is fine. True when a picture came out.
bool reads(std::string_view bytes) {
  try {
    read_picture(bytes_of(bytes), "broken.file");
    return true;
  } catch (const FormatError& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.starts_with("broken.file: expected ")) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return false;
  }
}

std::string number(uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

std::string chunk(const std::string& name, const std::string& data) {
  const std::string body = name + data;
  const auto sum = crc32(0, reinterpret_cast<const unsigned char*>(body.data()), static_cast<unsigned>(body.size()));
  return number(static_cast<uint32_t>(data.size())) + body + number(static_cast<uint32_t>(sum));
}

std::string png_of_size(uint32_t width, uint32_t height) {
  return "\x89PNG\r\n\x1a\n"s + chunk("IHDR", number(width) + number(height) + "\x08\x02\0\0\0"s) + chunk("IDAT", "x") +
         chunk("IEND", "");
}

std::string encoded(const char* extension) {
  return encode_picture(extension, noise(60, 40, 3), {.texts = {{"parameters", "a cat"}, {"fresco", "{}"}}});
}

TEST(BrokenFiles, NoPictureIsNamedForWhatItIs) {
  const struct {
    std::string bytes;
    std::string got;
  } cases[] = {{"", "an empty file"},
               {"GIF89a....", "a GIF"},
               {"BM", "a BMP"},
               {"hello", "something else"},
               {"RIFF1234WAVE", "something else"},
               {"\0\0\0\x20"
                "ftypavif...."s,
                "an AVIF, HEIC or video file"},
               {"\x89PNG"s, "something else"}};
  for (const auto& [bytes, got] : cases) {
    try {
      read_picture(bytes_of(bytes), "picture.png");
      ADD_FAILURE() << got;
    } catch (const FormatError& error) {
      EXPECT_EQ(std::string(error.what()), "picture.png: expected a PNG, JPEG or WebP picture, got " + got);
    }
  }
}

TEST(BrokenFiles, TruncatedOnesAreRefused) {
  for (const char* extension : {".png", ".jpg", ".webp"}) {
    const std::string whole = encoded(extension);
    for (size_t size = 0; size < whole.size(); size += 50)
      EXPECT_FALSE(reads(whole.substr(0, size))) << extension << " " << size;
    for (size_t cut = 1; cut < 50; ++cut) reads(whole.substr(0, whole.size() - cut));
  }
  for (const FileGolden& golden : kFileGoldens) {
    const std::string whole = from_base64(golden.base64);
    for (size_t size = 0; size < whole.size(); ++size) reads(whole.substr(0, size));
  }
}

TEST(BrokenFiles, ChangedBytesDoNoHarm) {
  for (const FileGolden& golden : kFileGoldens) {
    const std::string whole = from_base64(golden.base64);
    for (size_t at = 0; at < whole.size(); ++at) {
      std::string broken = whole;
      broken[at] = static_cast<char>(broken[at] ^ (at % 3 == 0 ? 0xff : at % 3 == 1 ? 0x01 : 0x80));
      reads(broken);
    }
  }
}

TEST(BrokenFiles, AbsurdSizesAreRefusedBeforeMemoryIsTaken) {
  const uint64_t before = peak_memory_bytes();
  for (const auto& [width, height] :
       {std::pair<uint32_t, uint32_t>{0x7fffffff, 0x7fffffff}, {100'000, 1'001}, {0x7fffffff, 1}}) {
    try {
      read_picture(bytes_of(png_of_size(width, height)), "huge.png");
      ADD_FAILURE() << width;
    } catch (const FormatError& error) {
      EXPECT_NE(std::string(error.what()).find("100 megapixels"), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(reads(png_of_size(0, 5)));
  EXPECT_FALSE(reads(png_of_size(0xffffffff, 5)));
  std::string jpeg = encoded(".jpg");
  const size_t frame = jpeg.find("\xff\xc0\0\x11\x08"s);
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xff\xdc\xff\xdc");  // 65500 x 65500
  EXPECT_FALSE(reads(jpeg));
  EXPECT_LT(peak_memory_bytes() - before, 50'000'000u);
}

TEST(BrokenFiles, AnimatedWebpIsRefusedInWords) {
  // VP8X with the animation flag, a canvas of 8 x 8, and an empty animation header.
  const std::string body = "WEBPVP8X\x0a\0\0\0\x02\0\0\0\x07\0\0\x07\0\0ANIM\x06\0\0\0\0\0\0\0\0\0"s;
  EXPECT_FALSE(reads("RIFF" + std::string(1, static_cast<char>(body.size())) + "\0\0\0"s + body));
}

TEST(BrokenFiles, FoldersAndMissingFilesAreTheUsersMistake) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_picture(folder.path()), InputError);
  EXPECT_THROW(read_picture(folder / "none.png"), InputError);
}

}  // namespace
}  // namespace fresco::image
