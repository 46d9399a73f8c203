// Packed files: they draw what their model draws, byte for byte; other kernels repack them; broken ones are refused.
#include "fresco/pipeline/pack.h"

#include <c10/core/InferenceMode.h>

#include <fstream>

#include "fresco/checkpoint/packed_file.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/layers/packed_source.h"
#include "fresco/ops/simd/isa.h"
#include "fresco/pipeline/loaded_model.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

namespace fs = std::filesystem;
using pipeline::DrawRequest;
using pipeline::LoadOptions;
using pipeline::Model;

std::string starter() { return (fs::path(FRESCO_SOURCE_DIR) / "models/starter-128").string(); }

class Warnings : public Observer {
 public:
  void on_warning(std::string_view text) override { texts.emplace_back(text); }
  std::vector<std::string> texts;
};

class Packed : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fresco-pack-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path pack(const std::string& model, Precision precision = Precision::automatic, const std::string& ops = "auto") {
    const auto file = folder_ / (fs::path(model).filename().string() + "-" + ops + ".fresco");
    pipeline::pack(
        {.load = {.files = {.model = model}, .precision = precision, .ops = ops}, .out = file, .overwrite = true});
    return file;
  }
  static std::vector<float> draw(const Model& model, bool from_picture = false) {
    DrawRequest request{.prompts = {"a red circle"}, .steps = 2, .sampler = "euler", .seed = 3};
    if (from_picture) {
      request.init = image::Picture{64, 64, 3, std::vector<uint8_t>(64 * 64 * 3, 77)};
      request.strength = 0.9;
    }
    request.width = request.height = 64;
    return model.draw(request).image.data;
  }
  static std::vector<float> draw(const std::string& model, const LoadOptions& like = {},
                                 Observer& observer = no_observer()) {
    LoadOptions options = like;
    options.files.model = model;
    return draw(Model::load(options, observer));
  }
  fs::path folder_;
};

std::vector<std::string> models() {
  std::vector<std::string> models{starter()};
  for (const char* name : {"tiny-sd15", "tiny-deci10", "tiny-deci20"})
    if (has_goldens()) models.push_back((shared() / "goldens/models" / name).string());
  return models;
}

TEST_F(Packed, AFileDrawsExactlyWhatItsModelDraws) {
  for (const auto& model : models()) {
    const auto file = pack(model);
    const auto folder = Model::load({.files = {.model = model}});
    Warnings warnings;
    const auto packed = Model::load({.files = {.model = file.string()}}, warnings);
    EXPECT_TRUE(warnings.texts.empty()) << model;
    EXPECT_EQ(draw(packed), draw(folder)) << model;
    EXPECT_EQ(draw(packed, true), draw(folder, true)) << model;
    EXPECT_EQ(draw(file.string(), {.memory = Memory::lean}), draw(folder)) << model;
    EXPECT_EQ(packed.weights_hash(), folder.weights_hash()) << model;
    EXPECT_EQ(packed.family(), folder.family()) << model;
    EXPECT_EQ(packed.defaults().steps, folder.defaults().steps) << model;
  }
}

TEST_F(Packed, EveryPrecisionThatThisProcessorRunsDrawsTheSame) {
  for (const auto precision : {Precision::bf16, Precision::int8}) {
    if (ops::native_isa() < ops::Isa::avx512_bf16) continue;
    const auto file = pack(starter(), precision);
    EXPECT_EQ(draw(file.string()), draw(starter(), {.precision = precision})) << name(precision);
    EXPECT_EQ(Model::load({.files = {.model = file.string()}}).precision(), precision);
    EXPECT_THROW(draw(file.string(), {.precision = Precision::f32}), InputError) << "they were rounded";
  }
}

TEST_F(Packed, AFileForOtherKernelsIsPackedAgainWithAWord) {
  const auto isas = ops::runnable_isas();
  if (isas.empty()) GTEST_SKIP() << "no kernels to pack for";
  const auto file = pack(starter());
  const auto lowest = std::string(isas.back());
  for (const std::string& form : {lowest, std::string("reference")}) {
    Warnings warnings;
    EXPECT_EQ(draw(file.string(), {.ops = form}, warnings), draw(starter(), {.ops = form})) << form;
    const bool fits = form == isas.front();
    EXPECT_EQ(warnings.texts.size(), fits ? 0u : 1u) << form;
  }
  const auto plain = pack(starter(), Precision::f32, "reference");
  EXPECT_EQ(draw(plain.string()), draw(starter()));
  const auto again = pack(pack(starter(), Precision::f32, lowest).string());
  EXPECT_EQ(draw(again.string()), draw(starter())) << "packed from a packed file";
}

TEST_F(Packed, OneTensorCanBeReplaced) {
  const c10::InferenceMode guard;
  const auto plain = checkpoint::open_model({.model = starter()}, no_observer());
  const layers::CheckpointWeights stored(plain.unet.tensors, {});
  const auto x = at::randn({1, 4, 16, 16}), time = at::full({1}, 500.0f), context = at::randn({1, 77, 64});
  for (const std::string ops : {"auto", "reference"}) {
    const auto file = pack(starter(), Precision::f32, ops);
    const auto unet_of = [&](const checkpoint::ModelFiles& files) {
      const layers::Preparation preparation{.ops = ops, .keep_half = ops == "auto"};
      return unet::UNet(unet::read_spec(files.unet.config, "unet"),
                        *layers::open_weights(files.unet.tensors, preparation), preparation);
    };
    auto packed = unet_of(checkpoint::open_model({.model = file.string()}, no_observer())), folder = unet_of(plain);
    for (const std::string name : {"down_blocks.1.modules_list.1.transformer_blocks.0.attn1.to_k.weight",
                                   "conv_in.weight", "conv_norm_out.bias", "conv_out.weight"}) {
      const auto value = stored.get(name, plain.unet.tensors->find(name)->shape) * 1.5;
      packed.replace(name, value);
      folder.replace(name, value);
      EXPECT_TRUE(
          at::equal(packed.forward(x, time, packed.bind(context)), folder.forward(x, time, folder.bind(context))))
          << name << " " << ops;
    }
  }
}

TEST_F(Packed, FilesThatAreCutOrChangedAreRefused) {
  const auto file = pack(starter());
  const std::string whole = read_file(file, uint64_t{1} << 32);
  const auto broken = folder_ / "broken";
  const auto opens = [&](const std::string& bytes) {
    std::ofstream(broken, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    try {
      checkpoint::open_model({.model = broken.string()}, no_observer());
      return true;
    } catch (const FormatError&) {
      return false;
    }
  };
  ASSERT_TRUE(opens(whole));
  for (const size_t size : {size_t{8}, size_t{63}, size_t{64}, size_t{4096}, whole.size() / 2, whole.size() - 1})
    EXPECT_FALSE(opens(whole.substr(0, size))) << size;
  EXPECT_FALSE(opens(whole + "x"));
  for (size_t at = 8; at < 64; at += 5) {
    if (at >= 12 && at < 16) continue;  // unused
    std::string changed = whole;
    changed[at] ^= 0x20;
    EXPECT_FALSE(opens(changed)) << "preamble, byte " << at;
  }
  std::string changed = whole;
  changed[whole.size() - 100] ^= 1;
  EXPECT_FALSE(opens(changed)) << "header";
  changed = whole;
  changed[8192] ^= 1;
  EXPECT_TRUE(opens(changed)) << "the weights' own checksums wait for verify";
  auto files = checkpoint::open_model({.model = broken.string()}, no_observer());
  EXPECT_THROW(checkpoint::verify_packed(*checkpoint::packed_file(files.unet), no_observer()), FormatError);
  files = checkpoint::open_model({.model = file.string()}, no_observer());
  EXPECT_NO_THROW(checkpoint::verify_packed(*checkpoint::packed_file(files.unet), no_observer()));
}

TEST_F(Packed, WhatCannotBeWrittenIsRefusedFirst) {
  const auto pack_to = [](const fs::path& out, Precision precision = Precision::automatic, bool overwrite = false) {
    pipeline::pack(
        {.load = {.files = {.model = starter()}, .precision = precision}, .out = out, .overwrite = overwrite});
  };
  EXPECT_THROW(pack_to(folder_), InputError);
  EXPECT_THROW(pack_to(folder_ / "nowhere" / "x"), InputError);
  EXPECT_THROW(pack_to(folder_ / "x", Precision::f16), InputError);
  write_file(folder_ / "there", "kept", false);
  EXPECT_THROW(pack_to(folder_ / "there"), InputError);
  EXPECT_EQ(read_file(folder_ / "there", 100), "kept");
}

}  // namespace
}  // namespace fresco::test
