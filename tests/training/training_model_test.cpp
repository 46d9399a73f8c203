// A run's networks: drawn anew from configs alone, written as a folder that draws, read back.
#include "fresco/training/training_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "fresco/core/error.h"
#include "fresco/pipeline/model.h"

namespace fresco::test {
namespace {

namespace fs = std::filesystem;
using training::Network;
using training::TrainingModel;

const fs::path kStarter = fs::path(FRESCO_SOURCE_DIR) / "models/starter-128";

class TrainingModelTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fresco-training-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::set<Network> every() { return {training::kNetworks.begin(), training::kNetworks.end()}; }
  static TrainingModel opened(bool from_nothing, uint64_t seed = 1) {
    return TrainingModel::open(kStarter.string(), from_nothing ? every() : std::set<Network>(), seed, at::kFloat,
                               no_observer());
  }
  // The starter model's folder without its weights.
  fs::path configs_alone() const {
    const auto bare = folder_ / "configs";
    fs::copy(kStarter, bare, fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(bare))
      if (entry.path().extension() == ".safetensors") fs::remove(entry.path());
    return bare;
  }
  static std::vector<float> drawn(const pipeline::Model& model) {
    return model.draw({.prompts = {"a red circle"}, .steps = 2, .seed = 1}).image.data;
  }

  fs::path folder_;
};

TEST_F(TrainingModelTest, DrawsAsItWasReadAndWritten) {
  const auto expected = drawn(pipeline::Model::load({.files = {.model = kStarter.string()}}));
  const auto model = opened(false);
  EXPECT_EQ(drawn(pipeline::Model::load(model.files(/*half=*/true), {})), expected);
  training::write_model(model.files(true), folder_ / "model");
  EXPECT_EQ(drawn(pipeline::Model::load({.files = {.model = (folder_ / "model").string()}})), expected);
  EXPECT_THROW(training::write_model(model.files(true), folder_ / "model"), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "model.partial"));
}

TEST_F(TrainingModelTest, BeginsFromConfigsAlone) {
  const auto model = TrainingModel::open(configs_alone().string(), every(), 1, at::kFloat, no_observer());
  const auto& unet = model.parameters(Network::unet);
  EXPECT_TRUE(unet.values().isfinite().all().item<bool>());
  EXPECT_TRUE(unet.values().equal(opened(true).parameters(Network::unet).values())) << "the seed decides";
  EXPECT_FALSE(unet.values().equal(opened(true, 2).parameters(Network::unet).values()));
  for (const auto& slice : unet.slices()) {
    const auto values = training::Parameters::part(unet.values(), slice);
    if (slice.name == "conv_in.weight") {
      EXPECT_NEAR(values.std().item<double>(), 1 / std::sqrt(3 * 4 * 9.0), 0.01);
    } else if (slice.name == "conv_norm_out.weight") {
      EXPECT_TRUE(values.eq(1).all().item<bool>());
    }
  }
  for (const float value : drawn(pipeline::Model::load(model.files(true), {}))) ASSERT_TRUE(std::isfinite(value));
}

TEST_F(TrainingModelTest, DrawsAnewWhatItIsToldTo) {
  const auto whole = opened(false);
  const auto model = TrainingModel::open(kStarter.string(), {Network::unet}, 1, at::kFloat, no_observer());
  EXPECT_TRUE(model.parameters(Network::vae).values().equal(whole.parameters(Network::vae).values()));
  EXPECT_TRUE(model.parameters(Network::text_encoder).values().equal(whole.parameters(Network::text_encoder).values()));
  EXPECT_FALSE(model.parameters(Network::unet).values().equal(whole.parameters(Network::unet).values()));
}

TEST_F(TrainingModelTest, AveragesTakeTheWeightsPlace) {
  auto model = opened(false);
  auto& vae = model.parameters(Network::vae);
  model.average(Network::vae) = vae.values().clone().mul_(2);
  const auto doubled = model.average(Network::vae).clone();
  const auto name = vae.slices().front().name;
  const auto tensor = model.files(false).vae.tensors->read(name);
  EXPECT_EQ(reinterpret_cast<const float*>(tensor.bytes.data())[0], doubled[0].item<float>());
  model.adopt_averages();
  EXPECT_TRUE(vae.values().equal(doubled));
  EXPECT_FALSE(model.average(Network::vae).defined());
}

TEST_F(TrainingModelTest, CarriesItsScale) {
  auto model = opened(false);
  model.set_scaling_factor(0.25);
  EXPECT_EQ(model.specs().vae.scaling_factor, 0.25);
  EXPECT_EQ(pipeline::read_specs(model.files(false)).vae.scaling_factor, 0.25);
}

TEST_F(TrainingModelTest, TheTokenizerIsWrittenEvenWhereNoneLay) {
  const auto bare = configs_alone();
  fs::remove_all(bare / "tokenizer");
  const auto model = TrainingModel::open(bare.string(), every(), 1, at::kFloat, no_observer());
  training::write_model(model.files(true), folder_ / "model");
  EXPECT_NO_THROW(drawn(pipeline::Model::load({.files = {.model = (folder_ / "model").string()}})));
}

}  // namespace
}  // namespace fresco::test
