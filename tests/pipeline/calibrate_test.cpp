// Calibration for products of 8-bit integers: what bears them badly is found, kept higher, and said so in files.
#include "fresco/pipeline/calibrate.h"

#include <algorithm>
#include <cmath>

#include "fresco/checkpoint/packed_file.h"
#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/ops/simd/isa.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/pack.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

namespace fs = std::filesystem;
using checkpoint::Calibration;
using pipeline::DrawRequest;
using pipeline::LoadOptions;
using pipeline::Model;

const fs::path kStarter = fs::path(FRESCO_SOURCE_DIR) / "models/starter-128";
const std::string kNorm = ".norm3.", kSensitive = ".ff.net.0.proj";  // the matrix behind the norm
constexpr const char* kUnet = "flexible_unet/diffusion_pytorch_model.safetensors";

class Calibrate : public testing::Test {
 protected:
  void SetUp() override {
    if (ops::native_isa() < ops::Isa::avx512_bf16) GTEST_SKIP() << "this processor has no products of 8-bit integers";
    std::string name = (fs::temp_directory_path() / "fresco-calibrate-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  // The same network, but one channel of the input of each block's wide matrix is a thousand times as large, and its column that much
  // smaller: in 8-bit integers of one scale for a row, next to nothing is left of the others.
  fs::path sensitive_model() const {
    const auto model = folder_ / "sensitive";
    fs::copy(kStarter, model, fs::copy_options::recursive);
    const auto source = checkpoint::open_tensors((kStarter / kUnet).string());
    std::vector<at::Tensor> values;
    std::vector<checkpoint::TensorData> tensors;
    for (const auto& info : source->tensors()) {
      const auto data = source->read(info.name);
      auto value = at::from_blob(const_cast<std::byte*>(data.bytes.data()), info.shape, at::kHalf).to(at::kFloat);
      if (info.name.find(kNorm) != std::string::npos) value[5] *= 1000;
      if (info.name.ends_with(kSensitive + ".weight")) value.select(1, 5) /= 1000;
      values.push_back(value.contiguous());
      tensors.push_back({{info.name, checkpoint::ElementType::f32, info.shape}, bytes_of(values.back()), nullptr});
    }
    checkpoint::write_safetensors(model / kUnet, tensors, {}, true);
    return model;
  }

  static std::span<const std::byte> bytes_of(const at::Tensor& value) {
    return {static_cast<const std::byte*>(value.const_data_ptr()), value.nbytes()};
  }

  static Calibration calibrated(const fs::path& model) {
    return pipeline::calibrate({.load = {.files = {.model = model.string()}}, .prompts = {"a red circle"}, .steps = 2});
  }

  static std::vector<float> draw(const fs::path& model, LoadOptions options = {}) {
    options.files.model = model.string();
    return draw(Model::load(options));
  }
  static std::vector<float> draw(const Model& model) {
    return model.draw({.prompts = {"a small green square"}, .steps = 4, .seed = 3}).image.data;
  }

  fs::path folder_;
};

double psnr(const std::vector<float>& got, const std::vector<float>& exact) {
  const auto apart = at::tensor(got) - at::tensor(exact);
  return -10 * std::log10(apart.square().mean().item<double>());
}

TEST_F(Calibrate, TheShippedModelNeedsNothingKept) {
  const auto found = calibrated(kStarter);
  EXPECT_GT(found.layers.size(), 50u);
  EXPECT_EQ(found.kept(), 0) << found.layers.front().name << " " << found.layers.front().db;
  EXPECT_GE(found.picture_db, 45);
  EXPECT_EQ(found.weights_hash, Model::load({.files = {.model = kStarter.string()}}).weights_hash());
  EXPECT_TRUE(std::ranges::is_sorted(found.layers, {}, &checkpoint::CalibratedLayer::db));
  for (const auto& layer : found.layers) {
    EXPECT_EQ(layer.part, "unet") << layer.name << ": the others are computed once a picture";
    EXPECT_FALSE(layer.name.ends_with("attn2.to_k") || layer.name.ends_with("time_emb_proj")) << layer.name;
  }
}

TEST_F(Calibrate, MatricesThatAreMadeSensitiveAreKept) {
  const auto model = sensitive_model();
  const auto exact = draw(model);
  ASSERT_GT(psnr(exact, draw(kStarter)), 60) << "the network is to be the same";
  const auto found = calibrated(model);
  EXPECT_LT(found.layers.front().db, 10);
  for (const auto& layer : found.layers) EXPECT_EQ(layer.kept, layer.name.ends_with(kSensitive)) << layer.name;
  EXPECT_GT(found.picture_db, found.plain_db + 6);
  const double without = psnr(draw(model, {.precision = Precision::int8}), exact);
  const auto shared = std::make_shared<const Calibration>(found);
  const double with = psnr(draw(model, {.precision = Precision::int8, .calibration = shared}), exact);
  EXPECT_GT(with, without + 6);
  EXPECT_GE(with, 40);
}

TEST_F(Calibrate, FilesCarryIt) {
  const auto model = sensitive_model();
  const auto found = calibrated(model);
  const auto given = draw(model, {.precision = Precision::int8, .calibration = std::make_shared<Calibration>(found)});
  EXPECT_EQ(Model::load({.files = {.model = model.string()}, .precision = Precision::int8}).calibration(), nullptr);
  write_file(model / checkpoint::kCalibrationFile, checkpoint::to_json(found).dump(), false);
  const auto loaded = Model::load({.files = {.model = model.string()}, .precision = Precision::int8});
  ASSERT_NE(loaded.calibration(), nullptr);
  EXPECT_EQ(draw(loaded), given) << "found in the model's folder";
  const auto file = folder_ / "packed";
  const auto result =
      pipeline::pack({.load = {.files = {.model = model.string()}, .precision = Precision::int8}, .out = file});
  ASSERT_TRUE(result.calibration);
  EXPECT_EQ(checkpoint::to_json(*result.calibration), checkpoint::to_json(found)) << "not measured again";
  EXPECT_EQ(draw(file), given);
  const auto packed = Model::load({.files = {.model = file.string()}});
  ASSERT_NE(packed.calibration(), nullptr);
  const auto files = checkpoint::open_model({.model = file.string()}, no_observer());
  const auto type_of = [&](const std::string& name) { return files.unet.tensors->find(name)->type; };
  for (const auto& layer : found.layers) {
    EXPECT_EQ(packed.calibration()->keeps(layer.name), layer.kept);
    EXPECT_EQ(type_of(layer.name + ".weight"), layer.kept ? checkpoint::ElementType::bf16 : checkpoint::ElementType::i8)
        << layer.name;
  }
  EXPECT_EQ(type_of("time_embedding.linear_1.weight"), checkpoint::ElementType::f32) << "computed once a plan";
}

TEST_F(Calibrate, PackingMeasuresByItself) {
  const auto file = folder_ / "packed";
  const LoadOptions load{.files = {.model = sensitive_model().string()}, .precision = Precision::fast};
  const auto result = pipeline::pack({.load = load, .out = file, .prompts = {"a red circle"}});
  ASSERT_TRUE(result.calibration);
  EXPECT_GT(result.calibration->kept(), 0);
  EXPECT_EQ(result.calibration->prompts, std::vector<std::string>{"a red circle"});
  EXPECT_EQ(draw(file), draw(file, {.precision = Precision::fast}));
}

TEST_F(Calibrate, WhatDoesNotFitIsRefused) {
  auto other = std::make_shared<Calibration>(Calibration{.layers = {{"unet", "no.such.layer", 1, true}}});
  EXPECT_THROW(draw(kStarter, {.precision = Precision::int8, .calibration = other}), InputError);
  const auto empty = std::make_shared<Calibration>();
  EXPECT_THROW(draw(kStarter, {.precision = Precision::f32, .calibration = empty}), InputError);
  EXPECT_THROW(draw(kStarter, {.ops = "avx2", .calibration = empty}), InputError);
  EXPECT_NO_THROW(draw(kStarter, {.precision = Precision::fast, .ops = "avx2", .calibration = empty}));
  EXPECT_THROW(pipeline::calibrate({.load = {.files = {.model = kStarter.string()}, .ops = "avx2"}}), InputError);
  EXPECT_THROW(pipeline::calibrate({.load = {.files = {.model = kStarter.string()}}, .steps = 0}), InputError);
  EXPECT_THROW(pipeline::pack({.load = {.files = {.model = kStarter.string()}},
                               .out = folder_ / "x",
                               .prompts = {"float32 is not calibrated"}}),
               InputError);
}

}  // namespace
}  // namespace fresco::test
