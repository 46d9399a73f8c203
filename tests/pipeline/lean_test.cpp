// Drawing with weights that stay in the model's file.
#include <cmath>

#include "fresco/core/error.h"
#include "fresco/pipeline/loaded_model.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Model;

std::string starter() { return (std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128").string(); }

pipeline::Drawing draw(const std::string& model, Memory memory, const DrawRequest& request,
                       const std::string& ops = "auto") {
  return Model::load({.files = {.model = model}, .memory = memory, .ops = ops}).draw(request);
}

// Decibels of a picture in 0..1 against another.
double psnr(const pipeline::Values& got, const pipeline::Values& expected) {
  const auto difference = at::tensor(got.data) - at::tensor(expected.data);
  return -10 * std::log10(difference.square().mean().item<double>());
}

TEST(LeanMemory, DrawsTheSamePicture) {
  const DrawRequest request{.prompts = {"a red circle"}, .steps = 4, .seed = 3};
  const auto lean = draw(starter(), Memory::lean, request);
  EXPECT_EQ(lean.image.data, draw(starter(), Memory::fast, request).image.data);
  EXPECT_EQ(lean.settings["memory"], "lean");
  EXPECT_GT(psnr(lean.image, draw(starter(), Memory::fast, request, "reference").image), 55);
}

TEST(LeanMemory, RepaintsTheSamePicture) {
  DrawRequest request{.prompts = {"a green ring"}, .steps = 4, .seed = 5, .strength = 0.6};
  request.init_values = pipeline::Values{{1, 3, 128, 128}, std::vector<float>(3 * 128 * 128, 0.4f)};
  EXPECT_EQ(draw(starter(), Memory::lean, request).image.data, draw(starter(), Memory::fast, request).image.data);
}

TEST(LeanMemory, ReadsEveryKindOfFile) {
  if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
  DrawRequest request{.prompts = {"A photo of an astronaut"}, .steps = 2, .sampler = "ddim"};
  request.seed = 1;
  request.width = request.height = 64;
  for (const char* file :
       {"models/tiny-sd15", "models/tiny-deci20", "single_file/tiny-sd15.safetensors", "single_file/tiny-sd15.ckpt"}) {
    const auto model = (shared() / "goldens" / file).string();
    EXPECT_EQ(draw(model, Memory::lean, request).image.data, draw(model, Memory::fast, request).image.data) << file;
  }
}

TEST(LeanMemory, WorksWithTheDefinitionsToo) {
  const DrawRequest request{.prompts = {"a red circle"}, .steps = 2, .seed = 3};
  const auto lean = draw(starter(), Memory::lean, request, "reference");
  EXPECT_GT(psnr(lean.image, draw(starter(), Memory::fast, request, "reference").image), 100);
}

TEST(LeanMemory, PlansForWeightsThatAreNotKept) {
  const auto files = checkpoint::open_model({.model = starter()}, no_observer());
  const uint64_t plain = pipeline::kept_bytes(files, {}), half = pipeline::kept_bytes(files, {.keep_half = true});
  const uint64_t lean = pipeline::kept_bytes(files, {.leave_stored = true});
  EXPECT_EQ(plain, pipeline::weight_bytes(files, 4));
  EXPECT_LT(half, plain * 7 / 10) << "embeddings stay float32";
  EXPECT_LT(lean, plain / 10);
}

}  // namespace
}  // namespace fresco::test
