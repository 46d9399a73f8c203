#include "fresco/checkpoint/packed_file.h"

#include <gmock/gmock.h>

#include "tests/checkpoint/helpers.h"

namespace fresco::checkpoint {
namespace {

using testing::HasSubstr;

Json blob(uint64_t offset, uint64_t bytes) { return {{"offset", offset}, {"bytes", bytes}, {"sha256", ""}}; }

Json tensor(const std::string& name, const Shape& shape, const char* layout, const char* storage, int64_t panel,
            uint64_t offset, uint64_t bytes) {
  Json entry = blob(offset, bytes);
  entry.update({{"names", {name}}, {"shape", shape}, {"layout", layout}, {"storage", storage}, {"panel", panel}});
  return entry;
}

// A matrix of three outputs in panels of four, and a bias.
Json good_header() {
  const Json part = {{"config", Json::object()}, {"tensors", Json::array()}};
  Json unet = part;
  unet["tensors"] = {tensor("w", {3, 2}, "matrix", "F32", 4, 64, 32), tensor("b", {3}, "plain", "F32", 0, 128, 12)};
  return {{"program", "fresco"},         {"source", "here"},
          {"weights_hash", ""},          {"isa", "avx2"},
          {"products", "f32"},           {"scheduler", Json::object()},
          {"tokenizer", Json::object()}, {"parts", {{"text_encoder", part}, {"unet", unet}, {"vae", part}}}};
}

constexpr uint64_t kDataEnd = 192;

std::vector<std::byte> file_of(const std::string& header) {
  auto bytes = packed_preamble(header, kDataEnd);
  bytes.resize(kDataEnd);
  const auto text = std::as_bytes(std::span(header));
  bytes.insert(bytes.end(), text.begin(), text.end());
  return bytes;
}

Outcome parsed(const std::vector<std::byte>& bytes) {
  const auto outcome = outcome_of([&] { parse_packed(bytes, "file"); });
  if (outcome.status != 0) expect_one_line(outcome.message);
  return outcome;
}

Outcome parsed(const Json& header) { return parsed(file_of(header.dump())); }

TEST(Packed, AHeaderComesBackAsItWasWritten) {
  const auto bytes = file_of(good_header().dump());
  const PackedHeader header = parse_packed(bytes, "file");
  ASSERT_EQ(header.parts.at("unet").tensors.size(), 2u);
  const PackedTensor& matrix = header.parts.at("unet").tensors[0];
  EXPECT_EQ(matrix.layout, PackedLayout::matrix);
  EXPECT_EQ(matrix.panel, 4);
  EXPECT_EQ(matrix.shape, (Shape{3, 2}));
  const PackedHeader again = parse_packed(file_of(to_text(header)), "file");
  EXPECT_EQ(to_text(again), to_text(header));
}

TEST(Packed, UnknownKeysAreNoError) {
  Json header = good_header();
  header["later"] = 1;
  header["parts"]["unet"]["tensors"][0]["later"] = "x";
  header["parts"]["later"] = Json::object();
  EXPECT_EQ(parsed(header).status, 0);
}

TEST(Packed, LengthsFollowFromShapeLayoutAndPanels) {
  struct Case {
    PackedTensor tensor;
    uint64_t bytes;
  };
  const std::vector<std::string> one{"a"}, three{"q", "k", "v"};
  const std::vector<Case> cases{
      {{three, {5}, PackedLayout::plain, ElementType::f32}, 60},
      {{one, {}, PackedLayout::plain, ElementType::f16}, 2},
      {{three, {6, 5}, PackedLayout::matrix, ElementType::bf16, 16}, 2 * 16 * 6 * 2},  // 18 outputs, depth 5 as 6
      {{one, {40, 5}, PackedLayout::gated, ElementType::f32, 16}, 3 * 16 * 5 * 4},     // 20 values in halves of 8
      {{one, {8, 4, 3, 3}, PackedLayout::taps, ElementType::f16, 32}, 32 * 36 * 2},
      {{one, {33, 4, 3, 3}, PackedLayout::winograd, ElementType::f32, 32}, 2 * 32 * 36 * 4},
      {{one, {32, 5}, PackedLayout::matrix, ElementType::i8, 32}, 32 * 8},
  };
  for (const Case& c : cases) EXPECT_EQ(packed_bytes(c.tensor, "file"), c.bytes) << to_string(c.tensor.shape);
}

TEST(Packed, BrokenHeadersAreRefused) {
  struct Case {
    const char* path;
    Json value;
    const char* says;
  };
  const int64_t huge = int64_t{1} << 62;
  const std::vector<Case> cases{
      {"/isa", nullptr, "\"isa\""},
      {"/isa", 3, "expected a string"},
      {"/parts", Json::array(), "expected an object"},
      {"/parts/vae", 1, "\"vae\""},
      {"/parts/unet/tensors", 1, "expected a list"},
      {"/parts/unet/tensors/0", 1, "expected objects"},
      {"/parts/unet/config", "x", "\"config\""},
      {"/parts/unet/tensors/0/names", Json::array(), "without names"},
      {"/parts/unet/tensors/0/names", {1}, "\"names\""},
      {"/parts/unet/tensors/0/shape", {3, 0}, "under 1"},
      {"/parts/unet/tensors/0/shape", {3, -2}, "under 1"},
      {"/parts/unet/tensors/0/shape", {huge, huge}, "overflows"},
      {"/parts/unet/tensors/0/shape", {3}, "expected 2 to 4 sizes"},
      {"/parts/unet/tensors/0/shape", {3, 3}, "expected 48 bytes"},
      {"/parts/unet/tensors/0/layout", "spiral", "does not know: \"spiral\""},
      {"/parts/unet/tensors/0/layout", "winograd", "expected 3x3"},
      {"/parts/unet/tensors/0/layout", "gated", "an odd number"},
      {"/parts/unet/tensors/0/storage", "F64", "does not know: \"F64\""},
      {"/parts/unet/tensors/0/storage", "BF16", "expected 16 bytes"},
      {"/parts/unet/tensors/0/panel", 0, "no such panels"},
      {"/parts/unet/tensors/0/panel", -4, "no such panels"},
      {"/parts/unet/tensors/0/panel", huge, "no such panels"},
      {"/parts/unet/tensors/0/panel", "4", "expected an integer"},
      {"/parts/unet/tensors/0/bytes", 36, "expected 32 bytes"},
      {"/parts/unet/tensors/0/bytes", -32, "expected an integer from 0"},
      {"/parts/unet/tensors/0/offset", 0, "overlap"},
      {"/parts/unet/tensors/0/offset", 68, "a multiple of 64"},
      {"/parts/unet/tensors/0/offset", 128, "overlap"},
      {"/parts/unet/tensors/0/offset", 192, "leave the file's data"},
      {"/parts/unet/tensors/0/offset", UINT64_MAX - 63, "leave the file's data"},
      {"/parts/unet/tensors/0/arrays", {{"scales", blob(64, 8)}}, "overlap"},
      {"/parts/unet/tensors/0/arrays", {{"scales", 1}}, "\"arrays\""},
      {"/tokenizer", {{"vocab.json", blob(0, 8)}}, "overlap"},
      {"/tokenizer", {{"vocab.json", blob(1 << 20, 8)}}, "leave the file's data"},
  };
  for (const Case& c : cases) {
    Json header = good_header();
    const Json::json_pointer at(c.path);
    if (c.value.is_null()) {
      header.erase("isa");
    } else {
      header[at] = c.value;
    }
    const Outcome outcome = parsed(header);
    EXPECT_EQ(outcome.status, 3) << c.path << " " << c.value;
    EXPECT_THAT(outcome.message, HasSubstr(c.says)) << c.path << " " << c.value;
  }
}

TEST(Packed, FilesThatAreCutOrChangedAreRefused) {
  const auto whole = file_of(good_header().dump());
  EXPECT_EQ(parsed(whole).status, 0);
  for (size_t size = 0; size < whole.size(); size += 7)
    EXPECT_EQ(parsed(std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).status, 3) << size;
  for (size_t at = 0; at < whole.size(); ++at) {
    const bool data = at >= kPackedPreamble && at < kDataEnd, unused = at >= 12 && at < 16;
    if (data || unused) continue;
    auto changed = whole;
    changed[at] ^= std::byte{0x10};
    EXPECT_EQ(parsed(changed).status, 3) << at;
  }
}

TEST(Packed, AWriterLaysBlobsOutAndVerifyFindsDamage) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model";
  PackedHeader header;
  const std::string numbers(24, 'x'), page(5000, 'y');
  {
    PackedWriter writer(path);
    for (const char* part : {"text_encoder", "unet", "vae"}) header.parts[part].config = Json::object();
    header.scheduler = Json::object();
    PackedTensor tensor{.names = {"conv_in.weight"}, .shape = {6}};
    tensor.data = writer.add(std::as_bytes(std::span(numbers)));
    header.parts["unet"].tensors = {tensor};
    header.tokenizer["vocab.json"] = writer.add(std::as_bytes(std::span(page)));
    EXPECT_FALSE(std::filesystem::exists(path));
    writer.finish(header, false);
  }
  EXPECT_TRUE(is_packed(path));
  const ModelFiles files = open_packed(path);
  EXPECT_EQ(files.tokenizer.read("vocab.json", 10'000), page);
  EXPECT_EQ(files.unet.tensors->read("conv_in.weight").bytes.size(), 24u);
  verify_packed(*packed_file(files.unet), no_observer());
  std::string bytes = read_bytes(path);
  bytes[bytes.find("yyyy")] = 'z';
  write_bytes(path, bytes);
  const auto damaged = outcome_of([&] { verify_packed(*packed_file(open_packed(path).unet), no_observer()); });
  EXPECT_EQ(damaged.status, 3);
  EXPECT_THAT(damaged.message, HasSubstr("vocab.json is damaged"));
}

}  // namespace
}  // namespace fresco::checkpoint
