#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "fresco/checkpoint/tensor_source.h"
#include "fresco/core/memory.h"
#include "tests/checkpoint/helpers.h"
#include "tests/checkpoint/torch_builder.h"

namespace fresco::checkpoint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Layout = PickleBuilder::Layout;

std::string state_of(std::string_view name, const PickleBuilder& storage, const Layout& layout) {
  return PickleBuilder().raw("}").text(name).tensor(storage, layout).raw("s").stop();
}
PickleBuilder floats(int64_t elements) { return PickleBuilder().storage("FloatStorage", "0", elements); }
PickleBuilder bytes(int64_t elements) { return PickleBuilder().storage("ByteStorage", "0", elements); }

std::string contents(const TensorSource& source, std::string_view name) {
  const TensorData data = source.read(name);
  return {reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size()};
}

std::shared_ptr<const TensorSource> open_bytes(const TemporaryFolder& folder, std::string_view bytes,
                                               const char* name = "model.ckpt") {
  write_bytes(folder.path() / name, bytes);
  return open_tensors((folder.path() / name).string());
}

// ---- What loads

TEST(TorchZip, ReadsStoredPackedAndZip64Archives) {
  const std::string state = state_of("a", bytes(6), {1, {2, 2}, {2, 1}});
  const TemporaryFolder folder;
  for (const bool deflate : {false, true}) {
    for (const bool wide : {false, true}) {
      const auto source = open_bytes(folder, torch_zip(state, {"012345"}, deflate, wide));
      ASSERT_EQ(source->tensors().size(), 1u);
      EXPECT_EQ(source->tensors()[0].type, ElementType::u8);
      EXPECT_THAT(source->tensors()[0].shape, ElementsAre(2, 2));
      EXPECT_EQ(contents(*source, "a"), "1234");
      source->release("a");
      EXPECT_EQ(contents(*source, "a"), "1234");
      EXPECT_EQ(source->read("a").owned == nullptr, !deflate);
    }
  }
}

TEST(TorchZip, StridesAreMaterialisedInRowMajorOrder) {
  const struct {
    Layout layout;
    std::string expected;
  } cases[] = {
      {{0, {3, 2}, {1, 3}}, "031425"},        // transposed
      {{0, {3}, {2}}, "024"},                 // every second
      {{5, {}, {}}, "5"},                     // a scalar
      {{1, {2, 1, 2}, {3, 77, 1}}, "1245"},   // the stride of a side of 1 says nothing
      {{0, {2, 3}, {0, 1}}, "012012"},        // repeated
      {{3, {0, 4}, {9, 9}}, ""},              // empty
      {{0, {1, 2, 3}, {6, 1, 2}}, "024135"},  // channels last
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    EXPECT_EQ(contents(*open_bytes(folder, torch_zip(state_of("a", bytes(6), c.layout), {"012345"})), "a"), c.expected);
    EXPECT_EQ(contents(*open_bytes(folder, torch_zip(state_of("a", bytes(6), c.layout), {"012345"}, true)), "a"),
              c.expected);
  }
}

TEST(TorchZip, EveryStorageTypeIsRead) {
  const struct {
    const char* storage;
    ElementType type;
  } cases[] = {
      {"DoubleStorage", ElementType::f64},    {"FloatStorage", ElementType::f32}, {"HalfStorage", ElementType::f16},
      {"BFloat16Storage", ElementType::bf16}, {"LongStorage", ElementType::i64},  {"IntStorage", ElementType::i32},
      {"ShortStorage", ElementType::i16},     {"CharStorage", ElementType::i8},   {"ByteStorage", ElementType::u8},
      {"BoolStorage", ElementType::boolean},
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    const std::string data(2 * size_in_bytes(c.type), 'x');
    const auto source =
        open_bytes(folder, torch_zip(state_of("a", PickleBuilder().storage(c.storage, "0", 2), {0, {2}, {1}}), {data}));
    EXPECT_EQ(source->tensors()[0].type, c.type);
    EXPECT_EQ(contents(*source, "a"), data);
  }
}

TEST(TorchZip, TypesWithoutAStorageComeByTheirName) {
  const struct {
    const char* word;
    ElementType type;
  } cases[] = {{"float8_e4m3fn", ElementType::f8_e4m3},
               {"float8_e5m2", ElementType::f8_e5m2},
               {"uint16", ElementType::u16},
               {"uint64", ElementType::u64}};
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    PickleBuilder state;
    state.raw("}").text("a").global("torch._utils", "_rebuild_tensor_v3").raw("(");
    state.raw("(")
        .text("storage")
        .global("torch.storage", "UntypedStorage")
        .text("0")
        .text("cpu")
        .integer(16)
        .raw("tQ");
    state.integer(1).integers({1}).integers({1}).raw("\x89}").global("torch", c.word).raw("tRs");
    const auto source = open_bytes(folder, torch_zip(state.stop(), {"0123456789abcdef"}));
    EXPECT_EQ(source->tensors()[0].type, c.type);
    EXPECT_EQ(contents(*source, "a"),
              std::string("0123456789abcdef").substr(size_in_bytes(c.type), size_in_bytes(c.type)));
  }
}

TEST(TorchZip, ParametersNestedStatesAndTrainingStateAreFine) {
  PickleBuilder state;
  state.raw("}")
      .text("callbacks")
      .raw("}")
      .global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
      .raw("}")
      .text("best")
      .raw("")
      .global("numpy.core.multiarray", "scalar")
      .raw("(")
      .global("numpy", "dtype")
      .raw("(")
      .text("f8")
      .raw("tR}b")
      .raw("U\x03xyztRsss");
  state.text("state_dict").global("collections", "OrderedDict").raw(")R");
  state.text("a")
      .global("torch._utils", "_rebuild_parameter")
      .raw("(")
      .tensor(bytes(2), {0, {2}, {1}})
      .raw("\x88N")
      .raw("tRs");
  state.text("nested").raw("}s").text("number").integer(7).raw("s");
  state.raw("}").text("_metadata").raw("}sb");  // attributes of the dictionary itself
  state.raw("s");
  const TemporaryFolder folder;
  const auto source = open_bytes(folder, torch_zip(state.stop(), {"xy"}));
  ASSERT_EQ(source->tensors().size(), 1u);
  EXPECT_EQ(contents(*source, "a"), "xy");
}

TEST(TorchZip, TensorsMayShareAStorageAndTheMemoIsUsed) {
  PickleBuilder state;
  state.raw("}(")
      .text("a")
      .global("torch._utils", "_rebuild_tensor_v2")
      .raw("q\x05(")
      .raw(bytes(4).body())
      .raw("r")
      .raw(little<uint32_t>(4'000'000'000u));
  state.integer(0).integers({2}).integers({1}).raw("\x89}tR").text("b").raw("h\x05(j").raw(
      little<uint32_t>(4'000'000'000u));
  state.integer(2).integers({2}).integers({1}).raw("\x89}tRu");
  const TemporaryFolder folder;
  const auto source = open_bytes(folder, torch_zip(state.stop(), {"abcd"}, true));
  EXPECT_EQ(contents(*source, "a") + contents(*source, "b"), "abcd");
}

TEST(TorchLegacy, ReadsStoragesAfterThePickles) {
  PickleBuilder state;
  state.raw("}(").text("a").tensor(PickleBuilder().legacy_storage("ShortStorage", "111", 3), {1, {2}, {1}});
  state.text("b").tensor(PickleBuilder().legacy_storage("ShortStorage", "222", 1), {0, {1}, {1}}).raw("u");
  const TemporaryFolder folder;
  const std::string file = torch_legacy(state.stop(), {{"111", "aabbcc"}, {"222", "dd"}}, 2);
  for (const auto name : {"model.ckpt", "model.safetensors"}) {
    const auto source = open_bytes(folder, file, name);
    EXPECT_EQ(contents(*source, "a") + contents(*source, "b"), "bbccdd");
  }
}

TEST(TorchLegacy, TheGoldenFileHoldsTheFirstTensorsOfTheWhole) {
  if (shared_data().empty()) GTEST_SKIP() << "reference data is not beside the checkout";
  const auto folder = shared_data() / "goldens" / "single_file";
  const auto head = open_tensors((folder / "legacy-format-head.ckpt").string());
  const auto whole = open_tensors((folder / "tiny-sd15.safetensors").string());
  EXPECT_EQ(head->tensors().size(), 40u);
  for (const auto& info : head->tensors())
    EXPECT_EQ(contents(*head, info.name), contents(*whole, info.name)) << info.name;
}

// ---- What is refused

struct BadFile {
  std::string what;
  std::string bytes;
  std::string message;
};

std::string changed(std::string text, size_t at, std::string_view with) { return text.replace(at, with.size(), with); }

std::string pickle_zip(const std::string& pickle) { return torch_zip(pickle, {"012345678901"}); }
std::string raw_zip(std::string_view opcodes) { return pickle_zip(PickleBuilder().raw(opcodes).stop()); }

std::vector<BadFile> imports() {
  std::vector<BadFile> bad;
  const std::pair<const char*, const char*> names[] = {{"os", "system"},
                                                       {"posix", "system"},
                                                       {"builtins", "eval"},
                                                       {"__builtin__", "getattr"},
                                                       {"subprocess", "Popen"},
                                                       {"builtins", "exec"},
                                                       {"torch.storage", "_load_from_bytes"},
                                                       {"torch", "load"},
                                                       {"torch.nn.modules.linear", "Linear"},
                                                       {"__torch__", "M"},
                                                       {"runpy", "_run_code"}};
  for (const auto& [module, name] : names) {
    const std::string expected = fmt::format("imports \"{}.{}\"", module, name);
    const std::string call = PickleBuilder().global(module, name).raw("(").text("echo owned").raw("tR").stop();
    bad.push_back({fmt::format("zip that calls {}.{}", module, name), pickle_zip(call), expected});
    bad.push_back({fmt::format("legacy file that calls {}.{}", module, name), torch_legacy(call, {}, 1), expected});
    bad.push_back({fmt::format("bare pickle that calls {}.{}", module, name), call, expected});
    bad.push_back({fmt::format("stacked {}.{}", module, name),
                   pickle_zip(PickleBuilder().text(module).text(name).raw("\x93").stop()), expected});
  }
  return bad;
}

std::vector<BadFile> bad_pickles() {
  const auto tensor = [](const PickleBuilder& storage, const Layout& layout) {
    return pickle_zip(state_of("a", storage, layout));
  };
  const int64_t huge = int64_t{1} << 62;
  std::string deep_marks(3'000'000, '(');
  std::string many_pairs = "](";
  for (int i = 0; i < 100'000; ++i) many_pairs += "NN\x86";
  std::string bomb = "(" + many_pairs + "e\x85q\x01";
  for (int i = 0; i < 100'000; ++i) bomb += "ccollections\nOrderedDict\nh\x01R0";
  return {
      {"opcode of instances", raw_zip("(ios\nsystem\n"), "opcode 0x69"},
      {"opcode of extensions", raw_zip("\x82\x01"), "opcode 0x82"},
      {"opcode of text numbers", raw_zip("I12\n"), "opcode 0x49"},
      {"nothing on the stack", raw_zip(""), "broken"},
      {"pop below the bottom", raw_zip("00"), "broken"},
      {"tuple without a mark", raw_zip("t"), "broken"},
      {"pop through a mark", raw_zip("N(\x85"), "broken"},
      {"odd dictionary", raw_zip("}(NNNu"), "broken"},
      {"items into no dictionary", raw_zip("NNNs"), "broken"},
      {"append to no list", raw_zip("}Na"), "broken"},
      {"memo that was never set", raw_zip("h\x07"), "broken"},
      {"call of no name", raw_zip("N)R"), "broken"},
      {"call without arguments", raw_zip("ctorch._utils\n_rebuild_tensor_v2\n)R"), "broken"},
      {"call of a type", raw_zip("ctorch\nFloatStorage\n)R"), "calls \"torch.FloatStorage\""},
      {"persistent id that is no storage", raw_zip("NQ"), "no storage"},
      {"state of a number", raw_zip("K\x01}b"), "broken"},
      {"protocol 9", pickle_zip("\x80\x09N."), "protocol 9"},
      {"no stop", pickle_zip("\x80\x02N"), "truncated"},
      {"text past the end", raw_zip("X\xff\xff\xff\xff"), "truncated"},
      {"text of 2^64", raw_zip("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "truncated"},
      {"long past the end", raw_zip("\x8b\xff\xff\xff\x7f"), "truncated"},
      {"import without an end", raw_zip("cos"), "truncated"},
      {"nested too deep", raw_zip(deep_marks), "nested too deep"},
      {"too many values", raw_zip(std::string(5'000'000, ']')), "more than 4194304 values"},
      {"memo bomb", raw_zip(bomb), "more than 4194304 values"},
      {"a list", raw_zip("]"), "expected a dictionary of tensors"},
      {"an empty dictionary", raw_zip("}"), "no named tensors"},
      {"a name twice",
       pickle_zip(PickleBuilder()
                      .raw("}(")
                      .text("a")
                      .tensor(bytes(1), {0, {1}, {1}})
                      .text("a")
                      .tensor(bytes(1), {0, {1}, {1}})
                      .raw("u")
                      .stop()),
       "\"a\" occurs twice"},
      {"a name that is no UTF-8", pickle_zip(state_of("\xff\xfe", bytes(1), {0, {1}, {1}})), "not UTF-8"},
      {"a complex tensor", tensor(PickleBuilder().storage("ComplexFloatStorage", "0", 1), {0, {1}, {1}}),
       "imports \"torch.ComplexFloatStorage\""},
      {"shape past its storage", tensor(floats(3), {0, {2, 2}, {2, 1}}), "leaves its storage of 3"},
      {"offset past its storage", tensor(floats(3), {3, {1}, {1}}), "leaves its storage"},
      {"negative offset", tensor(floats(3), {-1, {1}, {1}}), "leaves its storage"},
      {"negative size", tensor(floats(3), {0, {-1}, {1}}), "negative or overflows"},
      {"negative stride", tensor(floats(3), {2, {3}, {-1}}), "leaves its storage"},
      {"product that overflows", tensor(floats(3), {0, {huge, huge}, {1, 1}}), "negative or overflows"},
      {"span that overflows", tensor(floats(3), {0, {3, 2}, {huge, huge}}), "leaves its storage"},
      {"one element as a terabyte", tensor(floats(3), {0, {int64_t{1} << 38}, {0}}), "leaves its storage"},
      {"fewer strides than sizes", tensor(floats(3), {0, {1, 1}, {1}}), "2 sizes but 1 strides"},
      {"nine dimensions", tensor(floats(3), {0, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)}),
       "9 dimensions"},
      {"storage of negative size", tensor(floats(-3), {0, {1}, {1}}), "negative size"},
      {"storage larger than its record", tensor(floats(4), {0, {1}, {1}}),
       "storage \"0\": expected 4 elements of 4 bytes, got 12 bytes"},
      {"storage whose bytes overflow", tensor(floats(huge), {0, {1}, {1}}), "storage \"0\": expected"},
      {"storage that is not there", tensor(PickleBuilder().storage("FloatStorage", "../x", 1), {0, {1}, {1}}),
       "storage \"../x\" is missing"},
  };
}

std::vector<BadFile> bad_archives() {
  const std::string state = state_of("a", bytes(6), {0, {6}, {1}});
  const std::string good = torch_zip(state, {"012345"});
  const size_t end = good.size() - 22;
  const auto overlapping = [] {
    std::string file = zip_bytes({{"archive/data.pkl", "\x80\x02}."}, {"archive/data/0", "0123456789"}});
    const size_t entry = file.rfind("archive/data/0") - 46;
    return changed(changed(file, entry + 20, little<uint32_t>(10) + little<uint32_t>(10)), entry + 42,
                   little<uint32_t>(0));
  };
  const std::string zeros(1 << 20, '\0');
  return {
      {"truncated zip", good.substr(0, good.size() / 2), "no directory at its end (truncated?)"},
      {"only a signature", "PK\x03\x04", "zip: truncated"},
      {"directory past the end", changed(good, end + 16, little<uint32_t>(0xfffffff0)), "runs past the end"},
      {"directory that is none", changed(good, end + 16, little<uint32_t>(1)), "broken directory entry"},
      {"more records than the directory holds", changed(good, end + 10, little<uint16_t>(9)),
       "zip directory is truncated"},
      {"several disks", changed(good, end + 4, little<uint16_t>(1)), "several disks"},
      {"no data.pkl", zip_bytes({{"word/document.xml", "<w/>"}}), "without data.pkl"},
      {"record twice", zip_bytes({{"a/data.pkl", "x"}, {"a/data.pkl", "y"}}), "occurs twice"},
      {"overlapping records", overlapping(), "overlap"},
      {"big endian", zip_bytes({{"a/data.pkl", state}, {"a/byteorder", "big"}}), "expected little, got \"big\""},
      {"packed by another method", changed(good, good.find("PK\x01\x02") + 10, little<uint16_t>(12)), "method 12"},
      {"encrypted", changed(good, good.find("PK\x01\x02") + 8, little<uint16_t>(1)), "encrypted"},
      {"stored in another size", changed(good, good.find("PK\x01\x02") + 24, little<uint32_t>(7)), "bytes stored as"},
      {"no local header", changed(good, 0, "PK\x07\x08PK").replace(0, 4, "PK\x05\x06"), "has no header at byte 0"},
      {"a claim of 4 GiB", zip_bytes({{"a/data.pkl", state}, {"a/data/0", zeros, true, 0xfffffff0}}),
       "cannot unpack to"},
      {"a claim of 2^62 bytes", zip_bytes({{"a/data.pkl", state}, {"a/data/0", zeros, true, int64_t{1} << 62}}, true),
       "cannot unpack to"},
      {"a pickle that unpacks to too much", zip_bytes({{"a/data.pkl", std::string(70 << 20, '\0'), true}}),
       "expected at most 67108864 bytes"},
      {"a pickle shorter than claimed", zip_bytes({{"a/data.pkl", state, true, 1000}}), "is broken"},
      {"a pickle longer than claimed", zip_bytes({{"a/data.pkl", state, true, 10}}), "is broken"},
      {"zip64 directory past the end",
       changed(torch_zip(state, {"012345"}, false, true), torch_zip(state, {"012345"}, false, true).size() - 34,
               little(~uint64_t{0})),
       "past the end"},
  };
}

std::vector<BadFile> bad_legacy_files() {
  const std::string state = state_of("a", PickleBuilder().legacy_storage("ByteStorage", "k", 6), {0, {6}, {1}});
  const std::string good = torch_legacy(state, {{"k", "012345"}}, 1);
  return {
      {"cut storage", good.substr(0, good.size() - 1), "runs past the end (truncated?)"},
      {"cut size", good.substr(0, good.size() - 10), "truncated"},
      {"cut pickle", good.substr(0, 60), "truncated"},
      {"shorter storage", torch_legacy(state, {{"k", "01234"}}, 1), "expected 6 elements from 0, got 5"},
      {"storage of no tensor", torch_legacy(state, {{"other", "012345"}}, 1), "belongs to no tensor"},
      {"storage twice", torch_legacy(state, {{"k", "012345"}, {"k", "012345"}}, 1), "occurs twice"},
      {"no storage", torch_legacy(state, {}, 1), "is missing (truncated?)"},
      {"big endian machine", torch_legacy(state, {{"k", "012345"}}, 1, false), "expected little, got big"},
      {"negative size", changed(good, good.size() - 14, little<int64_t>(-1)), "runs past the end"},
      {"size that overflows", changed(good, good.size() - 14, little<int64_t>(INT64_MAX)), "runs past the end"},
      {"pickle of something else", std::string("\x80\x02}."), "not one that torch.save wrote"},
  };
}

class BadTorchFile : public testing::TestWithParam<BadFile> {};

TEST_P(BadTorchFile, IsRefusedInOneLineSoonAndWithoutMuchMemory) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "model.ckpt";
  write_bytes(file, GetParam().bytes);
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = outcome_of([&] { open_tensors(file.string()); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));  // milliseconds; sanitizers are slower
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.message, HasSubstr(GetParam().message));
  EXPECT_THAT(outcome.message, testing::StartsWith(file.string() + ": "));
  expect_one_line(outcome.message);
}

std::string case_name(const testing::TestParamInfo<BadFile>& info) {
  std::string name;
  for (const char c : info.param.what) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Imports, BadTorchFile, testing::ValuesIn(imports()), case_name);
INSTANTIATE_TEST_SUITE_P(Pickles, BadTorchFile, testing::ValuesIn(bad_pickles()), case_name);
INSTANTIATE_TEST_SUITE_P(Archives, BadTorchFile, testing::ValuesIn(bad_archives()), case_name);
INSTANTIATE_TEST_SUITE_P(Legacy, BadTorchFile, testing::ValuesIn(bad_legacy_files()), case_name);

TEST(TorchZip, AnArchiveOfTerabytesIsRefusedBeforeMemoryIsSpent) {
  // 70 records that each claim a gigabyte, which a megabyte of deflate can hold.
  std::vector<ZipPart> parts{{"a/data.pkl", "\x80\x02}."}};
  const std::string noise(1'100'000, 'x');
  for (int i = 0; i < 70; ++i) parts.push_back({fmt::format("a/data/{}", i), noise, false, -1});
  std::string file = zip_bytes(parts);
  for (size_t at = file.find("PK\x01\x02"); at != std::string::npos; at = file.find("PK\x01\x02", at + 46)) {
    if (file.compare(at + 46, 10, "a/data.pkl") == 0) continue;
    file.replace(at + 10, 2, little<uint16_t>(8)).replace(at + 24, 4, little<uint32_t>(1u << 30));
  }
  const TemporaryFolder folder;
  const uint64_t before = peak_memory_bytes();
  const Outcome outcome = outcome_of([&] { open_bytes(folder, file); });
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.message, HasSubstr("unpacks to more than 64 GiB"));
  EXPECT_LT(peak_memory_bytes() - before, uint64_t{64} << 20);
}

TEST(TorchZip, APackedStorageWithAWrongChecksumIsRefusedWhenRead) {
  std::string file = torch_zip(state_of("a", bytes(6), {0, {6}, {1}}), {"012345"}, true);
  const size_t entry = file.rfind("archive/data/0") - 46;
  file[entry + 16] ^= 1;
  const TemporaryFolder folder;
  const auto source = open_bytes(folder, file);
  const Outcome outcome = outcome_of([&] { source->read("a"); });
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.message, HasSubstr("wrong checksum"));
}

}  // namespace
}  // namespace fresco::checkpoint
