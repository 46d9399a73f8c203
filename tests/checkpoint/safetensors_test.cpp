#include "fresco/checkpoint/safetensors.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstring>

#include "tests/checkpoint/helpers.h"

namespace fresco::checkpoint {
namespace {

using testing::HasSubstr;

struct BadFile {
  std::string what;
  std::string bytes;
  std::string message;
};

std::string entry(std::string_view fields) { return fmt::format("{{\"a\":{{{}}}}}", fields); }
std::string nested(size_t depth) { return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}"; }

std::vector<BadFile> bad_files() {
  const std::string eight(8, '\0');
  const auto file = [](std::string_view header, std::string_view data = {}) { return safetensors_bytes(header, data); };
  const auto two = [](int a0, int a1, int b0, int b1) {
    return fmt::format(
        R"({{"a":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}},"b":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}}}})",
        a1 - a0, a0, a1, b1 - b0, b0, b1);
  };
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  return {
      {"empty", "", "empty file"},
      {"five bytes", "hello", "neither safetensors nor"},
      {"a web page", "<!DOCTYPE html><html><body>404 Not Found</body></html>", "a web page"},
      {"a git-lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"},
      {"truncated data", file(good, "1234"), "tensor \"a\": ends at byte 8 of 4"},
      {"truncated header", file(good).substr(0, 30), "runs past the end of the file (30 bytes)"},
      {"header length past the end", std::string("\xff\0\0\0\0\0\0\0", 8) + "{}",
       "header of 255 bytes runs past the end"},
      {"absurd header length", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) + "{}",
       "header length: expected at most 100000000"},
      {"header that is no JSON", file("{oops}"), "not JSON"},
      {"header with bytes that are no UTF-8", file("{\"\xff\":1}"), "not JSON"},
      {"entry that is no object", file(R"({"a":7})"), "expected an object, got number"},
      {"entry without a type", file(entry(R"("shape":[2],"data_offsets":[0,8])"), eight), "has no \"dtype\""},
      {"entry without a shape", file(entry(R"("dtype":"F32","data_offsets":[0,8])"), eight), "has no \"shape\""},
      {"entry without offsets", file(entry(R"("dtype":"F32","shape":[2])"), eight), "has no \"data_offsets\""},
      {"unknown type", file(entry(R"("dtype":"F12","shape":[2],"data_offsets":[0,8])"), eight),
       "unknown element type \"F12\"; known: F64"},
      {"type that is no word", file(entry(R"("dtype":3,"shape":[2],"data_offsets":[0,8])"), eight),
       "unknown element type \"number\""},
      {"product that overflows",
       file(entry(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8])"), eight), "overflows"},
      {"bytes that overflow", file(entry(R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,8])"), eight),
       "overflows"},
      {"size beyond int64", file(entry(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,8])"), eight),
       "got 9223372036854775808"},
      {"negative size", file(entry(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), eight), "got -2"},
      {"fractional size", file(entry(R"("dtype":"F32","shape":[2.5],"data_offsets":[0,8])"), eight), "got 2.5"},
      {"shape that is no list", file(entry(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), eight),
       "expected a list as shape"},
      {"negative offset", file(entry(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"), eight),
       "two offsets that are not negative"},
      {"three offsets", file(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"), eight), "two offsets"},
      {"end before begin", file(entry(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), eight),
       "its end 0 lies before its begin 8"},
      {"shape and offsets that disagree", file(entry(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), eight),
       "expected 12 bytes for F32 [3], got 8"},
      {"overlap", file(two(0, 5, 4, 8), eight), "tensor \"b\" overlaps"},
      {"same bytes twice", file(two(0, 8, 0, 8), eight), "overlaps"},
      {"hole at the start", file(two(1, 4, 4, 8), eight), "hole of 1 bytes before tensor \"a\""},
      {"hole in the middle", file(two(0, 3, 4, 8), eight), "hole of 1 bytes before tensor \"b\""},
      {"bytes left over", file(two(0, 3, 3, 6), eight), "2 bytes after the last tensor"},
      {"offsets past the end", file(two(0, 4, 4, 9), eight), "ends at byte 9 of 8"},
      {"duplicate names",
       file(
           R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
           eight),
       "\"a\" occurs twice"},
      {"duplicate fields", file(entry(R"("dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8])"), eight),
       "\"dtype\" occurs twice"},
      {"nested 100,000 deep", file(nested(100'000)), "nested deeper than"},
      {"a list nested 100,000 deep", safetensors_bytes(std::string(100'000, '['), ""), "neither safetensors nor"},
      {"a name with control characters",
       file("{\"a\\n\\u001b[2J\":{\"dtype\":\"F12\",\"shape\":[],\"data_offsets\":[0,0]}}"), "\\x0a\\x1b"},
      {"a very long name", file("{\"" + std::string(5000, 'n') + "\":{\"dtype\":\"F12\"}}"), "..."},
  };
}

class BadSafetensors : public testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedInOneLine) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "model.safetensors";
  write_bytes(file, GetParam().bytes);
  const Outcome outcome = outcome_of([&] { open_tensors(file.string()); });
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.message, HasSubstr(GetParam().message));
  EXPECT_THAT(outcome.message, testing::StartsWith(file.string() + ": "));
  expect_one_line(outcome.message);
}

std::string case_name(const std::string& what) {
  std::string name;
  for (const char c : what) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Safetensors, BadSafetensors, testing::ValuesIn(bad_files()),
                         [](const auto& info) { return case_name(info.param.what); });

std::shared_ptr<const TensorSource> open_bytes(const TemporaryFolder& folder, std::string_view bytes,
                                               const char* name = "a.safetensors") {
  write_bytes(folder.path() / name, bytes);
  return open_tensors((folder.path() / name).string());
}

TEST(Safetensors, EveryElementTypeIsRead) {
  const struct {
    const char* word;
    ElementType type;
    size_t bytes;
  } cases[] = {
      {"F64", ElementType::f64, 8},   {"F32", ElementType::f32, 4},         {"F16", ElementType::f16, 2},
      {"BF16", ElementType::bf16, 2}, {"F8_E4M3", ElementType::f8_e4m3, 1}, {"F8_E5M2", ElementType::f8_e5m2, 1},
      {"I64", ElementType::i64, 8},   {"I32", ElementType::i32, 4},         {"I16", ElementType::i16, 2},
      {"I8", ElementType::i8, 1},     {"U64", ElementType::u64, 8},         {"U32", ElementType::u32, 4},
      {"U16", ElementType::u16, 2},   {"U8", ElementType::u8, 1},           {"BOOL", ElementType::boolean, 1},
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    const std::string header =
        fmt::format(R"({{"x":{{"dtype":"{}","shape":[3],"data_offsets":[0,{}]}}}})", c.word, 3 * c.bytes);
    const auto source = open_bytes(folder, safetensors_bytes(header, std::string(3 * c.bytes, 'x')));
    ASSERT_EQ(source->tensors().size(), 1u);
    EXPECT_EQ(source->tensors()[0].type, c.type);
    EXPECT_EQ(name(c.type), c.word);
    EXPECT_EQ(source->read("x").bytes.size(), 3 * c.bytes);
  }
}

TEST(Safetensors, MetadataEmptyTensorsScalarsAndPaddingAreFine) {
  const TemporaryFolder folder;
  const auto source = open_bytes(
      folder,
      safetensors_bytes(
          R"({"__metadata__":{"format":"pt"},"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[1,1]}}    )",
          "7"));
  ASSERT_EQ(source->tensors().size(), 2u);
  EXPECT_EQ(source->tensors()[0].name, "e");
  EXPECT_EQ(source->read("s").bytes[0], std::byte{'7'});
  EXPECT_EQ(source->read("e").bytes.size(), 0u);
  source->release("s");
}

TEST(Safetensors, AHundredThousandTensorsLoad) {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i)
    header += fmt::format(R"({}"tensor.{}":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}})", i == 0 ? "" : ",", i,
                          i, i + 1);
  const TemporaryFolder folder;
  const auto source = open_bytes(folder, safetensors_bytes(header + "}", std::string(100'000, 'x')));
  EXPECT_EQ(source->tensors().size(), 100'000u);
  EXPECT_NE(source->find("tensor.99999"), nullptr);
}

TEST(Safetensors, BytesAreAlignedToTheirTypeEvenWhereTheFileIsNot) {
  const TemporaryFolder folder;
  const auto source = open_bytes(
      folder,
      safetensors_bytes(
          R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
          "abcde"));
  const TensorData data = source->read("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(data.bytes.data()) % 4, 0u);
  EXPECT_EQ(std::memcmp(data.bytes.data(), "bcde", 4), 0);
}

TEST(Safetensors, AMissingTensorAndAMissingFileAreNamed) {
  const TemporaryFolder folder;
  const auto source = open_bytes(folder, safetensors_bytes("{}", ""));
  const Outcome tensor = outcome_of([&] { source->read("conv_in.weight"); });
  EXPECT_EQ(tensor.status, 3);
  EXPECT_THAT(tensor.message, HasSubstr("tensor \"conv_in.weight\" is missing"));
  EXPECT_EQ(outcome_of([&] { open_tensors((folder.path() / "none.safetensors").string()); }).status, 2);
}

TEST(Safetensors, TheSuffixDoesNotMatter) {
  const TemporaryFolder folder;
  EXPECT_EQ(open_bytes(folder, safetensors_bytes("{}", ""), "model.ckpt")->tensors().size(), 0u);
}

TEST(Safetensors, WhatIsWrittenIsReadBackAndNothingIsOverwrittenUnasked) {
  const std::string floats(12, 'f'), bytes(3, 'b');
  const std::vector<TensorData> tensors{
      {{"b", ElementType::u8, {3}}, std::as_bytes(std::span(bytes)), nullptr},
      {{"f", ElementType::f32, {3, 1}}, std::as_bytes(std::span(floats)), nullptr},
  };
  const TemporaryFolder folder;
  const auto file = folder.path() / "out.safetensors";
  write_safetensors(file, tensors, {{"made by", "a test"}}, false);
  const auto source = open_tensors(file.string());
  ASSERT_EQ(source->tensors().size(), 2u);
  EXPECT_EQ(source->tensors()[1].shape, (Shape{3, 1}));
  EXPECT_EQ(std::memcmp(source->read("f").bytes.data(), floats.data(), 12), 0);
  EXPECT_EQ(source->read("f").owned, nullptr);
  EXPECT_EQ(outcome_of([&] { write_safetensors(file, tensors, {}, false); }).status, 2);
  EXPECT_EQ(outcome_of([&] { write_safetensors(file, {}, {}, true); }).status, 0);
}

}  // namespace
}  // namespace fresco::checkpoint
