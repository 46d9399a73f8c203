// Texts inside picture files: what is written is read back, in the places other programs look at.
#include <gtest/gtest.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/unicode.h"
#include "fresco/image/exif.h"
#include "fresco/image/read_write.h"
#include "tests/image/helpers.h"

namespace fresco::image {
namespace {

using namespace std::string_literals;

const std::string kTexts[] = {"a cat",
                              "a cat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 1",
                              "caf\u00e9 \u00fcber \u00ff",
                              "\u732b \u0100",
                              "\U0001f600 emoji \U0010ffff",
                              std::string(5000, 'x') + "\u00e9",
                              "tab\tand \"quotes\" \\ back"};

TEST(Texts, ComeBackFromEveryFormat) {
  for (const char* extension : {".png", ".jpg", ".webp"}) {
    for (const std::string& text : kTexts) {
      const std::vector<Text> texts = {{"parameters", text}, {"fresco", "{\"prompt\": \"" + text + "\"}"}};
      const std::string bytes = encode_picture(extension, noise(5, 4, 3), {.texts = texts});
      EXPECT_EQ(read_texts(bytes_of(bytes), "test picture"), texts) << extension << ": " << text;
    }
  }
}

TEST(Texts, DoNotChangeThePixels) {
  for (const char* extension : {".png", ".jpg", ".webp"}) {
    const std::string with = encode_picture(extension, noise(9, 7, 3), {.texts = {{"parameters", "a cat"}}});
    const std::string without = encode_picture(extension, noise(9, 7, 3));
    EXPECT_EQ(read_picture(bytes_of(with), "with"), read_picture(bytes_of(without), "without")) << extension;
    EXPECT_TRUE(read_texts(bytes_of(without), "without").empty());
  }
}

TEST(Texts, PngUsesPlainChunksWhereLatin1Does) {
  const std::string plain = encode_picture(".png", noise(2, 2, 3), {.texts = {{"parameters", "caf\u00e9"}}});
  EXPECT_NE(plain.find("tEXtparameters\0caf\xe9"s), std::string::npos);
  const std::string wide = encode_picture(".png", noise(2, 2, 3), {.texts = {{"parameters", "\u732b"}}});
  EXPECT_NE(wide.find("iTXtparameters\0\0\0\0\0\u732b"s), std::string::npos);
}

TEST(Texts, ExifHoldsTheCommentAsOtherProgramsWriteIt) {
  const std::string exif = make_exif({{"parameters", "a\u732b"}});
  EXPECT_TRUE(exif.starts_with("MM\0\x2a\0\0\0\x08"s));
  EXPECT_TRUE(exif.ends_with("UNICODE\0\0a\x73\x2b"s));
  EXPECT_TRUE(make_exif({}).empty());
}

// One directory that points to another with a UserComment: TIFF 6.0, section 2.
std::string exif_with_comment(const std::string& comment, bool big_endian) {
  std::string out = big_endian ? "MM"s : "II"s;
  const auto number = [&](uint32_t value, int size) {
    for (int i = 0; i < size; ++i) out += static_cast<char>(value >> 8 * (big_endian ? size - 1 - i : i) & 0xff);
  };
  const auto entry = [&](uint32_t tag, uint32_t type, uint32_t count, uint32_t value) {
    number(tag, 2), number(type, 2), number(count, 4), number(value, 4);
  };
  number(42, 2), number(8, 4), number(1, 2);
  entry(0x8769, 4, 1, 26);
  number(0, 4), number(1, 2);
  entry(0x9286, 7, static_cast<uint32_t>(comment.size()), 44);
  number(0, 4);
  return out + comment;
}

TEST(Texts, CommentsOfOtherProgramsAreRead) {
  const std::string head = "UNICODE\0"s, big = "\0a\0 \x73\x2b"s, little = "a\0 \0\x2b\x73"s;
  const struct {
    std::string comment;
    bool big_endian;
    std::string text;
  } cases[] = {{head + big, true, "a \u732b"},
               {head + little, false, "a \u732b"},
               {head + big, false, "a \u732b"},  // the web user interface's order in a little-endian block
               {head + little, true, "a \u732b"},
               {head + "\xff\xfe"s + little, true, "a \u732b"},
               {head + "\xfe\xff"s + big, false, "a \u732b"},
               {"ASCII\0\0\0hello"s, true, "hello"},
               {"\0\0\0\0\0\0\0\0hello"s, false, "hello"}};
  for (const auto& [comment, big_endian, text] : cases) {
    const auto content = parse_exif(bytes_of(exif_with_comment(comment, big_endian)));
    ASSERT_EQ(content.texts.size(), 1u);
    EXPECT_EQ(content.texts[0].text, text);
  }
}

TEST(Texts, NoExifBlockIsTooBroken) {
  const std::string exif = make_exif({{"parameters", "a cat"}, {"fresco", "{\"a\": 1}"}});
  for (size_t size = 0; size < exif.size(); ++size) EXPECT_NO_THROW(parse_exif(bytes_of(exif.substr(0, size))));
  for (size_t at = 0; at < exif.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string broken = exif;
      broken[at] = value;
      EXPECT_NO_THROW(parse_exif(bytes_of(broken)));
    }
  }
}

TEST(Texts, AreFoundByKeyword) {
  const TemporaryFolder folder;
  write_picture(folder / "a.png", noise(3, 3, 3), {.texts = {{"parameters", "a cat"}, {"fresco", "{}"}}});
  EXPECT_EQ(read_parameters(folder / "a.png"), "a cat");
  EXPECT_EQ(read_text(folder / "a.png", "fresco"), "{}");
  EXPECT_EQ(read_text(folder / "a.png", "other"), std::nullopt);
  EXPECT_THROW(read_parameters(folder / "none.png"), InputError);
}

TEST(Texts, NulAndBrokenUtf8DoNoHarm) {
  const std::string bytes = encode_picture(".png", noise(3, 3, 3), {.texts = {{"parameters", "a\0b\xff\u732b"s}}});
  EXPECT_EQ(read_texts(bytes_of(bytes), "test")[0].text, "a b\ufffd\u732b");
}

TEST(Unicode, GoesThereAndBack) {
  for (const std::string& text : kTexts) {
    EXPECT_EQ(encode_utf8(decode_utf8(text)), text);
    EXPECT_EQ(utf16_to_utf8(utf8_to_utf16be(text), true), text);
    EXPECT_EQ(latin1_to_utf8(utf8_to_latin1(text).value_or("none")), utf8_to_latin1(text) ? text : "none");
  }
}

TEST(Unicode, BrokenBytesBecomeTheReplacementCharacter) {
  for (const std::string& broken :
       {"\xff"s, "\xc0\x80"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xc3"s, "\xe7\x8c"s, "\x80"s}) {
    EXPECT_EQ(encode_utf8(decode_utf8("a" + broken)).substr(0, 4), "a\ufffd") << broken.size();
  }
  EXPECT_EQ(utf16_to_utf8("\xd8\0\0a"s, true), "\ufffda");
}

}  // namespace
}  // namespace fresco::image
