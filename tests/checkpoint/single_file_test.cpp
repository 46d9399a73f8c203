#include <gmock/gmock.h>

#include <algorithm>

#include "fresco/checkpoint/model_files.h"
#include "fresco/checkpoint/safetensors.h"
#include "tests/checkpoint/helpers.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ModelFiles open_with(const fs::path& model, const fs::path& vae = {}, const fs::path& config = {}) {
  return open_model({.model = model.string(), .revision = {}, .vae = vae.string(), .config = config.string()},
                    no_observer());
}

void expect_same_tensors(const TensorSource& got, const TensorSource& expected) {
  ASSERT_EQ(got.tensors().size(), expected.tensors().size());
  for (size_t i = 0; i < expected.tensors().size(); ++i) {
    const TensorInfo& want = expected.tensors()[i];
    const TensorInfo& have = got.tensors()[i];
    ASSERT_EQ(have.name, want.name);
    EXPECT_EQ(have.type, want.type) << want.name;
    EXPECT_EQ(have.shape, want.shape) << want.name;
    EXPECT_TRUE(std::ranges::equal(got.read(want.name).bytes, expected.read(want.name).bytes)) << want.name;
    got.release(want.name);
  }
}

// What describes no weights: where the file came from, the size it was trained for, settings of training.
bool matters(const std::string& key) {
  static const std::vector<std::string> kNot{
      "_diffusers_version", "transformers_version", "sample_size", "attention_dropout",
      "initializer_factor", "initializer_range",    "dropout"};
  return std::ranges::find(kNot, key) == kNot.end();
}

// Keys that a config leaves out have diffusers' defaults: null or false, or as the ones listed.
void expect_same_config(const Json& inferred, const Json& published) {
  const Json defaults = {{"addition_embed_type_num_heads", 64},
                         {"attention_type", "default"},
                         {"conv_in_kernel", 3},
                         {"conv_out_kernel", 3},
                         {"resnet_out_scale_factor", 1.0},
                         {"resnet_time_scale_shift", "default"},
                         {"time_embedding_type", "positional"}};
  for (const auto& [key, value] : published.items()) {
    if (!matters(key)) continue;
    const Json got = inferred.contains(key)   ? inferred.at(key)
                     : defaults.contains(key) ? defaults.at(key)
                     : value.is_boolean()     ? Json(false)
                                              : Json();
    EXPECT_EQ(got, value) << key;
  }
}

class SingleFile : public testing::Test {
 protected:
  void SetUp() override {
    if (shared_data().empty()) GTEST_SKIP() << "reference data is not beside the checkout";
    goldens_ = shared_data() / "goldens";
    folder_model_ = goldens_ / "models" / "tiny-sd15";
    safetensors_ = goldens_ / "single_file" / "tiny-sd15.safetensors";
  }
  // The golden single file with names changed or left out (empty name), as a new file.
  fs::path changed(const std::function<std::string(const std::string&)>& new_name) {
    const auto source = open_tensors(safetensors_.string());
    std::vector<TensorData> tensors;
    for (const auto& info : source->tensors()) {
      TensorData data = source->read(info.name);
      data.info.name = new_name(info.name);
      if (!data.info.name.empty()) tensors.push_back(std::move(data));
    }
    const fs::path file = temporary_.path() / "changed.safetensors";
    write_safetensors(file, tensors, {}, true);
    return file;
  }
  TemporaryFolder temporary_;
  fs::path goldens_, folder_model_, safetensors_;
};

TEST_F(SingleFile, GivesTheFoldersTensorsAndConfigs) {
  const ModelFiles expected = open_with(folder_model_);
  for (const auto file : {"tiny-sd15.safetensors", "tiny-sd15.ckpt"}) {
    SCOPED_TRACE(file);
    const ModelFiles got = open_with(goldens_ / "single_file" / file);
    EXPECT_EQ(got.family, Family::stable_diffusion);
    EXPECT_THAT(got.unused, testing::IsEmpty());
    EXPECT_TRUE(got.tokenizer.none());
    expect_same_tensors(*got.unet.tensors, *expected.unet.tensors);
    expect_same_tensors(*got.vae.tensors, *expected.vae.tensors);
    expect_same_tensors(*got.text_encoder.tensors, *expected.text_encoder.tensors);
    expect_same_config(got.unet.config, expected.unet.config);
    expect_same_config(got.vae.config, expected.vae.config);
    expect_same_config(got.text_encoder.config, expected.text_encoder.config);
    expect_same_config(got.scheduler, expected.scheduler);
    EXPECT_EQ(weights_hash(got, no_observer()), weights_hash(expected, no_observer()));
  }
}

TEST_F(SingleFile, ConfigsOfAFolderReplaceTheInferredOnes) {
  const ModelFiles files = open_with(safetensors_, {}, folder_model_);
  EXPECT_EQ(files.unet.config.at("sample_size"), 8);
  EXPECT_EQ(files.unet.config_place, (folder_model_ / "unet" / "config.json").string());
  EXPECT_EQ(files.tokenizer.place(), folder_model_ / "tokenizer");
  EXPECT_EQ(outcome_of([&] { open_with(safetensors_, {}, "/no/such/folder"); }).status, 2);
}

TEST_F(SingleFile, UnknownTensorsAreListedAndTheTextPrefixMayBeMissing) {
  const fs::path file = changed([](const std::string& name) -> std::string {
    const std::string_view old = "cond_stage_model.transformer.text_model.";
    if (name.starts_with(old)) return "cond_stage_model.transformer." + name.substr(old.size());
    return name == "betas" ? "model.diffusion_model.surprise.weight" : name;
  });
  const ModelFiles files = open_with(file);
  EXPECT_THAT(files.unused, testing::ElementsAre("model.diffusion_model.surprise.weight"));
  expect_same_tensors(*files.text_encoder.tensors, *open_with(folder_model_).text_encoder.tensors);
}

TEST_F(SingleFile, MissingPartsAreNamed) {
  const struct {
    const char* prefix;
    const char* message;
  } cases[] = {{"model.diffusion_model.", "holds no U-Net"},
               {"cond_stage_model.", "holds no text encoder"},
               {"first_stage_model.", "holds no VAE"}};
  for (const auto& c : cases) {
    const fs::path file =
        changed([&](const std::string& name) { return name.starts_with(c.prefix) ? std::string() : name; });
    const Outcome outcome = outcome_of([&] { open_with(file); });
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.message, HasSubstr(c.message));
    expect_one_line(outcome.message);
  }
  const fs::path without_vae =
      changed([](const std::string& name) { return name.starts_with("first_stage_model.") ? std::string() : name; });
  EXPECT_NE(open_with(without_vae, folder_model_).vae.tensors, nullptr);
}

TEST_F(SingleFile, AVaeComesInAnyOfItsNamings) {
  const ModelFiles expected = open_with(folder_model_);
  const fs::path bare = changed([](const std::string& name) -> std::string {
    const std::string_view prefix = "first_stage_model.";
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name == "betas" ? "loss.logvar" : std::string();
  });
  const fs::path diffusers = folder_model_ / "vae" / "diffusion_pytorch_model.safetensors";
  for (const auto& vae : {safetensors_, bare, diffusers}) {
    const ModelFiles files = open_with(safetensors_, vae);
    expect_same_tensors(*files.vae.tensors, *expected.vae.tensors);
    expect_same_config(files.vae.config, expected.vae.config);
  }
  const fs::path scaled = goldens_ / "models" / "tiny-deci10" / "vae" / "diffusion_pytorch_model.safetensors";
  EXPECT_EQ(open_with(safetensors_, scaled).vae.config.at("scaling_factor"), 0.25);
}

TEST_F(SingleFile, MissingTensorsThatTellSizesAreNamed) {
  for (const std::string gone :
       {"model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight",
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"}) {
    const fs::path file = changed([&](const std::string& name) { return name == gone ? std::string() : name; });
    const Outcome outcome = outcome_of([&] { open_with(file); });
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.message, HasSubstr("is missing"));
    expect_one_line(outcome.message);
  }
}

TEST(ForeignFile, OtherKindsAreRefusedInWords) {
  const struct {
    const char* tensor;
    const char* message;
  } cases[] = {
      {"cond_stage_model.model.ln_final.weight", "Stable Diffusion 2"},
      {"conditioner.embedders.0.transformer.text_model.final_layer_norm.weight", "Stable Diffusion XL"},
      {"model.diffusion_model.joint_blocks.0.x", "Stable Diffusion 3"},
      {"lora_unet_down_blocks_0.lora_up.weight", "adapter"},
      {"something.else", "holds no U-Net"},
      {"model.diffusion_model.input_blocks.99999999999999999999.0.in_layers.0.weight", "holds no U-Net"},
      {"model.diffusion_model.input_blocks..0.in_layers.0.weight", "holds no U-Net"},
      {"model.diffusion_model.", "holds no U-Net"},
  };
  const TemporaryFolder folder;
  for (const auto& c : cases) {
    const auto file = folder.path() / "model.safetensors";
    write_safetensors(file, {{{c.tensor, ElementType::f32, {0}}, {}, nullptr}}, {}, true);
    const Outcome outcome = outcome_of([&] { open_with(file); });
    EXPECT_EQ(outcome.status, 2) << c.tensor;
    EXPECT_THAT(outcome.message, HasSubstr(c.message));
    expect_one_line(outcome.message);
  }
}

}  // namespace
}  // namespace fresco::checkpoint
