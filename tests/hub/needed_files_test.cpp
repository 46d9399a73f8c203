#include "fresco/hub/needed_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fresco::hub {
namespace {

using ::testing::UnorderedElementsAreArray;

const Paths kAround = {"model_index.json",         "scheduler/scheduler_config.json",
                       "tokenizer/vocab.json",     "tokenizer/merges.txt",
                       "vae/config.json",          "vae/diffusion_pytorch_model.safetensors",
                       "text_encoder/config.json", "text_encoder/model.safetensors"};

Paths with(Paths paths, const Paths& more) {
  paths.insert(paths.end(), more.begin(), more.end());
  return paths;
}

struct Case {
  const char* what;
  Paths extra;   // beside kAround
  Paths wanted;  // beside kAround
};

class WeightChoice : public ::testing::TestWithParam<Case> {};

TEST_P(WeightChoice, TakesOneSetOfWeights) {
  const auto& [what, extra, wanted] = GetParam();
  EXPECT_THAT(needed_files(with(kAround, extra), {}), UnorderedElementsAreArray(with(kAround, wanted))) << what;
}

INSTANTIATE_TEST_SUITE_P(
    Hub, WeightChoice,
    ::testing::Values(
        Case{"whole safetensors before everything",
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin",
              "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.non_ema.safetensors"},
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors"}},
        Case{"shards before half precision",
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors.index.json",
              "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
              "unet/diffusion_pytorch_model-00002-of-00002.safetensors",
              "unet/diffusion_pytorch_model.fp16.safetensors"},
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors.index.json",
              "unet/diffusion_pytorch_model-00001-of-00002.safetensors",
              "unet/diffusion_pytorch_model-00002-of-00002.safetensors"}},
        Case{"an index that lacks a shard is no set",
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors.index.json",
              "unet/diffusion_pytorch_model-00001-of-00002.safetensors", "unet/diffusion_pytorch_model.bin"},
             {"unet/config.json", "unet/diffusion_pytorch_model.bin"}},
        Case{"half precision before pickles",
             {"unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin"},
             {"unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors"}},
        Case{"pickles when there is nothing else",
             {"unet/config.json", "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.bin"},
             {"unet/config.json", "unet/diffusion_pytorch_model.bin"}},
        Case{"a flexible U-Net replaces the weights of unet/",
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "flexible_unet/config.json",
              "flexible_unet/diffusion_pytorch_model.safetensors"},
             {"unet/config.json", "flexible_unet/config.json", "flexible_unet/diffusion_pytorch_model.safetensors"}},
        Case{"nothing that is not read",
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "safety_checker/model.safetensors",
              "safety_checker/config.json", "feature_extractor/preprocessor_config.json", "unet/model.onnx",
              "text_encoder/flax_model.msgpack", "text_encoder/tf_model.h5", "v1-5-pruned.ckpt",
              "v1-5-pruned-emaonly.safetensors", "README.md", "tokenizer/deeper/vocab.json", "pipeline.py"},
             {"unet/config.json", "unet/diffusion_pytorch_model.safetensors"}}));

TEST(NeededFiles, OfOnePartOnly) {
  const auto paths = with(kAround, {"unet/config.json", "unet/diffusion_pytorch_model.safetensors"});
  EXPECT_THAT(
      needed_files(paths, Paths{"vae"}),
      UnorderedElementsAreArray({"model_index.json", "vae/config.json", "vae/diffusion_pytorch_model.safetensors"}));
}

TEST(NeededFiles, OfARepositoryThatIsOnePart) {
  const Paths paths = {"README.md", "config.json", "diffusion_pytorch_model.bin",
                       "diffusion_pytorch_model.safetensors"};
  EXPECT_THAT(needed_files(paths, Paths{"vae"}),
              UnorderedElementsAreArray({"config.json", "diffusion_pytorch_model.safetensors"}));
  EXPECT_THAT(missing_files(paths, {}, false), ::testing::IsEmpty());
}

TEST(NeededFiles, OfSingleFileRepositories) {
  struct SingleCase {
    Paths paths;
    Paths wanted;
  };
  const SingleCase cases[] = {
      {{"README.md", "model.ckpt"}, {"model.ckpt"}},
      {{"model.ckpt", "model.safetensors"}, {"model.safetensors"}},
      {{"v1-5-pruned.ckpt", "v1-5-pruned-emaonly.ckpt", "v1-5-pruned-emaonly.safetensors"},
       {"v1-5-pruned-emaonly.safetensors"}},
      {{"a.safetensors", "b.safetensors"}, {}},
      {{"deep/a.safetensors"}, {}},
      {{"README.md"}, {}},
  };
  for (const auto& c : cases) EXPECT_EQ(needed_files(c.paths, {}), c.wanted) << c.paths.front();
}

TEST(MissingFiles, NameWhatDrawingStillNeeds) {
  struct MissingCase {
    Paths extra;
    bool flexible;
    Paths missing;
  };
  const MissingCase cases[] = {
      {{"unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors"}, false, {}},
      {{"unet/config.json"}, false, {"unet/diffusion_pytorch_model.safetensors"}},
      {{"unet/config.json", "unet/diffusion_pytorch_model.safetensors"},
       true,
       {"flexible_unet/config.json", "flexible_unet/diffusion_pytorch_model.safetensors"}},
  };
  for (const auto& c : cases)
    EXPECT_THAT(missing_files(with(kAround, c.extra), {}, c.flexible), UnorderedElementsAreArray(c.missing));
  EXPECT_THAT(missing_files(kAround, Paths{"vae"}, false), ::testing::IsEmpty());
  EXPECT_THAT(missing_files(Paths{}, {}, false), ::testing::ElementsAre("model_index.json"));
}

}  // namespace
}  // namespace fresco::hub
