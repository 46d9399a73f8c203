// What must not change a picture: its neighbours in a batch, the file its weights came from, being drawn in tiles.
#include <c10/core/InferenceMode.h>

#include "fresco/pipeline/loaded_model.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Model;

std::string starter() { return (std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128").string(); }

at::Tensor tensor_of(const pipeline::Values& values) { return at::tensor(values.data).view(values.shape); }

DrawRequest short_request() {
  return {.prompts = {"a red circle", "a large blue star on a yellow background"},
          .steps = 3,
          .sampler = "euler-a",
          .seed = 7,
          .count = 2};
}

// Rounding differs with the batch because products are blocked otherwise; 1e-4 of the largest latent after three steps.
TEST(Batching, APictureIsTheSameWhateverItWasBatchedWith) {
  const auto model = Model::load({.files = {.model = starter()}, .ops = "reference"});
  auto request = short_request();
  request.batch = 4;
  const auto together = model.draw(request);
  request.batch = 1;
  const auto alone = model.draw(request);
  EXPECT_LT(relative_error(tensor_of(alone.latents), tensor_of(together.latents)), 1e-4);
  ASSERT_EQ(together.pictures.size(), 4u);
  for (size_t k = 0; k < 4; ++k) EXPECT_EQ(together.pictures[k].seed, 7 + k);
  EXPECT_EQ(together.pictures[1].prompt, "a red circle");
}

TEST(Batching, PictureKDrawnAloneWithItsOwnSeedIsTheSame) {
  const auto model = Model::load({.files = {.model = starter()}, .ops = "reference"});
  const auto all = model.draw(short_request());
  auto request = short_request();
  request.prompts = {request.prompts[1]};
  request.count = 1;
  request.seed = 10;
  EXPECT_LT(relative_error(tensor_of(model.draw(request).latents), tensor_of(all.latents).narrow(0, 3, 1)), 1e-4);
}

TEST(Weights, ASingleFileDrawsExactlyWhatItsFolderDraws) {
  if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
  DrawRequest request{
      .prompts = {"A photo of an astronaut riding a horse on Mars"}, .steps = 2, .seed = 1, .width = 64, .height = 64};
  const auto draw = [&](const std::string& model) {
    return Model::load({.files = {.model = (shared() / "goldens" / model).string()}, .ops = "reference"})
        .draw(request)
        .image.data;
  };
  const auto folder = draw("models/tiny-sd15");
  EXPECT_EQ(draw("single_file/tiny-sd15.safetensors"), folder);
  EXPECT_EQ(draw("single_file/tiny-sd15.ckpt"), folder);
}

// One step is linear in the guided output u + g * (c - u): two strengths of guidance give the part that is the negative prompt's alone.
TEST(ClipSkip, LeavesTheNegativePromptAsItIs) {
  const auto model = Model::load({.files = {.model = starter()}, .ops = "reference"});
  const auto draw = [&](int clip_skip, double guidance) {
    DrawRequest request{.prompts = {"a red circle"},
                        .negative = "a ring",
                        .steps = 1,
                        .guidance = guidance,
                        .guidance_rescale = 0,
                        .clip_skip = clip_skip,
                        .seed = 3};
    return tensor_of(model.draw(request).latents);
  };
  const auto unconditional = [&](int clip_skip) { return 2 * draw(clip_skip, 2) - draw(clip_skip, 4); };
  EXPECT_LT(relative_error(unconditional(1), unconditional(0)), 1e-4);
  EXPECT_GT(relative_error(draw(1, 4), draw(0, 4)), 1e-2) << "the prompt itself is read otherwise";
}

// Seams: across the borders of tiles the picture must not step more than it does elsewhere. Measured as the mean absolute difference of
// neighbouring columns at the borders, against all columns; and as the largest difference from the picture decoded whole.
TEST(Tiling, LeavesNoVisibleSeams) {
  const c10::InferenceMode guard;
  const auto files = checkpoint::open_model({.model = starter()}, no_observer());
  const layers::Preparation preparation;
  const vae::Vae vae(vae::read_vae_spec(files.vae.config, "vae"),
                     layers::CheckpointWeights(files.vae.tensors, preparation), preparation);
  const Goldens sample(std::filesystem::path(starter()) / "samples/sample_0.safetensors");
  const auto latents = at::upsample_bilinear2d(sample["latents"] / vae.spec().scaling_factor, {48, 48}, false);
  const auto whole = vae.decode(latents), tiled = vae.decode_tiled(latents, {.tile = 24, .overlap = 8});
  const auto step = [](const at::Tensor& x) {
    return (x.slice(3, 1) - x.slice(3, 0, -1)).abs().mean({0, 1, 2});
  };  // [W - 1]
  const auto extra = step(tiled) - step(whole);
  EXPECT_LT(extra.max().item<float>(), 0.01)
      << "no column of the tiled picture steps visibly more than the same column decoded whole";
  EXPECT_LT((tiled - whole).abs().mean().item<float>(), 0.02);
}

TEST(Replacing, OneTensorIsPackedAloneAndChangesThePicture) {
  const c10::InferenceMode guard;
  const auto files = checkpoint::open_model({.model = starter()}, no_observer());
  const layers::Preparation preparation;
  const layers::CheckpointWeights weights(files.unet.tensors, preparation);
  unet::UNet unet(unet::read_spec(files.unet.config, "unet"), weights, preparation);
  const auto x = at::randn({1, 4, 16, 16}), time = at::full({1}, 500.0f);
  const auto text = unet.bind(at::randn({1, 77, 64}));
  const auto before = unet.forward(x, time, text);
  const std::string name = "down_blocks.1.modules_list.1.transformer_blocks.0.attn1.to_k.weight";
  const auto original = weights.get(name, files.unet.tensors->find(name)->shape);
  unet.replace(name, original * 2);
  EXPECT_GT(relative_error(unet.forward(x, time, text), before), 1e-4);
  unet.replace(name, original);
  EXPECT_TRUE(at::equal(unet.forward(x, time, text), before));
}

}  // namespace
}  // namespace fresco::test
