#include <gmock/gmock.h>

#include <cstring>

#include "fresco/checkpoint/model_files.h"
#include "fresco/checkpoint/safetensors.h"
#include "tests/checkpoint/helpers.h"

namespace fresco::checkpoint {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ModelFiles open_path(const fs::path& model) {
  return open_model({.model = model.string(), .revision = {}, .vae = {}, .config = {}}, no_observer());
}

class GoldenFolder : public testing::Test {
 protected:
  void SetUp() override {
    if (shared_data().empty()) GTEST_SKIP() << "reference data is not beside the checkout";
    models_ = shared_data() / "goldens" / "models";
  }
  // A copy whose files a test may break.
  fs::path copy_of(const std::string& model) {
    fs::copy(models_ / model, folder_.path() / model, fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path()))
      fs::permissions(entry, fs::perms::owner_all, fs::perm_options::add);
    fs::permissions(folder_.path() / model, fs::perms::owner_all, fs::perm_options::add);
    return folder_.path() / model;
  }
  TemporaryFolder folder_;
  fs::path models_;
};

TEST_F(GoldenFolder, EachFamilyIsRecognised) {
  const struct {
    const char* model;
    Family family;
    const char* unet;
  } cases[] = {{"tiny-sd15", Family::stable_diffusion, "/unet/"},
               {"tiny-deci10", Family::decidiffusion_1, "/flexible_unet/"},
               {"tiny-deci20", Family::decidiffusion_2, "/flexible_unet/"}};
  for (const auto& c : cases) {
    const ModelFiles files = open_path(models_ / c.model);
    EXPECT_EQ(files.family, c.family) << c.model;
    EXPECT_THAT(files.unet.tensors->place(), HasSubstr(c.unet));
    EXPECT_THAT(files.unet.config_place, HasSubstr(c.unet));
    EXPECT_NE(files.unet.tensors->find("conv_in.weight"), nullptr);
    EXPECT_NE(files.text_encoder.tensors->find("text_model.final_layer_norm.weight"), nullptr);
    EXPECT_EQ(files.tokenizer.place(), models_ / c.model / "tokenizer");
    EXPECT_TRUE(files.scheduler.contains("_class_name"));
    const TensorInfo* to_q = files.vae.tensors->find("decoder.mid_block.attentions.0.to_q.weight");
    ASSERT_NE(to_q, nullptr) << c.model;
    EXPECT_EQ(to_q->shape.size(), 2u);
    EXPECT_NE(files.vae.tensors->find("encoder.mid_block.attentions.0.to_out.0.bias"), nullptr) << c.model;
  }
}

TEST_F(GoldenFolder, AMissingPartIsNamed) {
  for (const auto part : {"unet", "vae", "text_encoder", "scheduler", "tokenizer"}) {
    const fs::path model = copy_of("tiny-sd15");
    fs::remove_all(model / part);
    const Outcome outcome = outcome_of([&] { open_path(model); });
    EXPECT_EQ(outcome.status, 2) << part;
    EXPECT_THAT(outcome.message, HasSubstr(std::string("no ") + part + "/ folder"));
    expect_one_line(outcome.message);
    fs::remove_all(model);
  }
}

TEST_F(GoldenFolder, MissingWeightsConfigsAndVocabulariesAreNamed) {
  for (const auto file :
       {"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors",
        "scheduler/scheduler_config.json", "tokenizer/vocab.json"}) {
    const fs::path model = copy_of("tiny-sd15");
    fs::remove(model / file);
    const Outcome outcome = outcome_of([&] { open_path(model); });
    EXPECT_EQ(outcome.status, 2) << file;
    EXPECT_THAT(outcome.message, HasSubstr((model / fs::path(file).parent_path()).string()));
    expect_one_line(outcome.message);
    fs::remove_all(model);
  }
}

TEST_F(GoldenFolder, AnotherVaeReplacesTheModelsOwn) {
  const fs::path model = copy_of("tiny-sd15");
  fs::remove_all(model / "vae");
  for (const auto& vae : {models_ / "tiny-deci10", models_ / "tiny-deci10" / "vae"}) {
    const ModelFiles files =
        open_model({.model = model.string(), .revision = {}, .vae = vae.string(), .config = {}}, no_observer());
    EXPECT_EQ(files.vae.config.at("scaling_factor"), 0.25);
  }
}

TEST_F(GoldenFolder, VariantNamesShardsAndUnprefixedTextGiveTheSameWeights) {
  const std::string expected = weights_hash(open_path(models_ / "tiny-sd15"), no_observer());
  const fs::path model = copy_of("tiny-sd15");
  fs::rename(model / "unet/diffusion_pytorch_model.safetensors",
             model / "unet/diffusion_pytorch_model.fp16.safetensors");

  const auto text = open_tensors((model / "text_encoder/model.safetensors").string());
  std::vector<TensorData> first, second;
  Json map = Json::object();
  for (const auto& info : text->tensors()) {
    TensorData data = text->read(info.name);
    data.info.name = info.name.substr(std::string_view("text_model.").size());
    const bool odd = (first.size() + second.size()) % 2 == 1;
    map[data.info.name] = odd ? "model-2.safetensors" : "model-1.safetensors";
    (odd ? second : first).push_back(data);
  }
  write_safetensors(model / "text_encoder/model-1.safetensors", first, {}, false);
  write_safetensors(model / "text_encoder/model-2.safetensors", second, {}, false);
  fs::remove(model / "text_encoder/model.safetensors");
  write_bytes(model / "text_encoder/model.safetensors.index.json", Json{{"weight_map", map}}.dump());

  EXPECT_EQ(weights_hash(open_path(model), no_observer()), expected);
  EXPECT_EQ(expected.size(), 64u);
}

TEST_F(GoldenFolder, AHubIdIsFoundInTheCacheOfItsUsers) {
  const fs::path model = folder_.path() / "models--some--model";
  fs::create_directories(model / "snapshots");
  const std::string commit(40, 'a');
  write_bytes(model / "refs" / "main", commit);
  fs::create_directory_symlink(copy_of("tiny-sd15"), model / "snapshots" / commit);
  ::setenv("HF_HUB_CACHE", folder_.path().c_str(), 1);
  ::setenv("HF_HUB_OFFLINE", "1", 1);
  const ModelFiles files = open_path("some/model");
  EXPECT_EQ(files.given, "some/model");
  EXPECT_THAT(files.unet.tensors->place(), HasSubstr("models--some--model"));
  EXPECT_EQ(outcome_of([&] { open_path("some/other-model"); }).status, 4);  // offline, and not there
  const ModelFiles other_vae = open_model(
      {.model = (models_ / "tiny-deci10").string(), .revision = {}, .vae = "some/model", .config = {}}, no_observer());
  EXPECT_EQ(other_vae.vae.config.at("scaling_factor"), 0.18215);
}

TEST_F(GoldenFolder, DeciDiffusionWithoutItsOwnUnetIsNotDrawnWithTheStandIn) {
  const fs::path model = copy_of("tiny-deci10");
  fs::remove_all(model / "flexible_unet");
  const Outcome outcome = outcome_of([&] { open_path(model); });
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.message, HasSubstr("no flexible_unet/ folder"));
}

TEST_F(GoldenFolder, HashesTellWeightsApart) {
  EXPECT_NE(weights_hash(open_path(models_ / "tiny-deci10"), no_observer()),
            weights_hash(open_path(models_ / "tiny-deci20"), no_observer()));
}

TEST(Folder, AModelThatIsNowhereIsTheUsersMistake) {
  for (const auto model : {"", "/no/such/place", "no-such-model", "a b/c", "../x/y/z"}) {
    const Outcome outcome = outcome_of([&] { open_path(model); });
    EXPECT_EQ(outcome.status, 2) << model;
    expect_one_line(outcome.message);
  }
}

TEST(Folder, OtherKindsOfPipelinesAreRefusedInWords) {
  const TemporaryFolder folder;
  write_bytes(
      folder.path() / "model_index.json",
      R"({"_class_name":"StableDiffusionXLPipeline","text_encoder_2":["transformers","CLIPTextModelWithProjection"]})");
  const Outcome outcome = outcome_of([&] { open_path(folder.path()); });
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.message, HasSubstr("StableDiffusionXLPipeline"));
}

struct BadIndex {
  const char* what;
  std::string text;
  const char* message;
  int status = 3;
};

TEST(ShardedIndex, BadOnesAreRefused) {
  const BadIndex cases[] = {
      {"no JSON", "oops", "not JSON"},
      {"no object", "[]", "weight_map"},
      {"no map", "{}", "weight_map"},
      {"map that is no object", R"({"weight_map":[]})", "weight_map"},
      {"empty map", R"({"weight_map":{}})", "names no shards"},
      {"number", R"({"weight_map":{"a":1}})", "expected a file name"},
      {"absolute path", R"({"weight_map":{"a":"/etc/passwd"}})", "beside the index"},
      {"parent folder", R"({"weight_map":{"a":"../secret.safetensors"}})", "beside the index"},
      {"dots", R"({"weight_map":{"a":".."}})", "beside the index"},
      {"nothing", R"({"weight_map":{"a":""}})", "beside the index"},
      {"zero byte", R"({"weight_map":{"a":"a\u0000b"}})", "beside the index"},
      {"missing shard", R"({"weight_map":{"a":"none.safetensors"}})", "shard \"none.safetensors\" is missing", 2},
      {"a name too long for a file", R"({"weight_map":{"a":")" + std::string(3000, 'x') + R"("}})", "is missing", 2},
      {"missing tensor", R"({"weight_map":{"a":"empty.safetensors"}})", "tensor \"a\" is missing"},
      {"duplicate", R"({"weight_map":{"a":"empty.safetensors","a":"empty.safetensors"}})", "occurs twice"},
  };
  const TemporaryFolder folder;
  write_bytes(folder.path() / "empty.safetensors", safetensors_bytes("{}", ""));
  for (const auto& c : cases) {
    const auto index = folder.path() / "model.safetensors.index.json";
    write_bytes(index, c.text);
    const Outcome outcome = outcome_of([&] { open_sharded_tensors(index.string()); });
    EXPECT_EQ(outcome.status, c.status) << c.what;
    EXPECT_THAT(outcome.message, HasSubstr(c.message)) << c.what;
    expect_one_line(outcome.message);
  }
}

TEST(ShortName, IsTheLastPartOfAModelsName) {
  const std::pair<const char*, const char*> cases[] = {{"Deci/DeciDiffusion-v1-0", "DeciDiffusion-v1-0"},
                                                       {"models/starter-128/", "starter-128"},
                                                       {"./v1-5.safetensors", "v1-5"},
                                                       {"a/b/../c", "c"},
                                                       {"model.v2", "model.v2"},
                                                       {".", "."}};
  for (const auto& [model, name] : cases) EXPECT_EQ(short_name(model), name);
}

}  // namespace
}  // namespace fresco::checkpoint
