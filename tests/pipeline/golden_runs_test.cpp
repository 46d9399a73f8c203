// Whole runs against diffusers' pipelines: every step of every run of the reference data, within 1e-3 of the largest magnitude.
#include "fresco/pipeline/model.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Model;

const std::vector<std::string> kModels = {"tiny-sd15", "tiny-deci10", "tiny-deci20"};

std::filesystem::path golden_path(const std::string& name) { return shared() / "goldens" / name; }

// The sampler that a run's scheduler class and config mean; empty for the folder's own.
std::string sampler_of(const std::string& run, const Json& config, const std::string& scheduler) {
  if (scheduler == "DPMSolverMultistepScheduler") {
    if (config["algorithm_type"] == "sde-dpmsolver++") return "dpmpp-2m-sde";
    return config["solver_order"] == 3 ? "dpmpp-3m" : "dpmpp-2m";
  }
  static const std::map<std::string, std::string> names = {{"DDIMScheduler", "ddim"},
                                                           {"PNDMScheduler", "pndm"},
                                                           {"EulerDiscreteScheduler", "euler"},
                                                           {"EulerAncestralDiscreteScheduler", "euler-a"},
                                                           {"HeunDiscreteScheduler", "heun"},
                                                           {"DDPMScheduler", "ddpm"},
                                                           {"UniPCMultistepScheduler", "unipc"},
                                                           {"LCMScheduler", "lcm"},
                                                           {"SqueezedDPMSolverMultistepScheduler", "squeezed-dpmpp"}};
  return run == "default" ? "" : names.at(scheduler);
}

image::Picture mask_picture(const at::Tensor& mask) {
  const auto bytes = (mask[0][0] * 255).to(at::kByte).contiguous();
  return {mask.size(3),
          mask.size(2),
          1,
          {bytes.const_data_ptr<uint8_t>(), bytes.const_data_ptr<uint8_t>() + bytes.numel()}};
}

pipeline::Values values(const at::Tensor& t) {
  return {t.sizes().vec(), {t.const_data_ptr<float>(), t.const_data_ptr<float>() + t.numel()}};
}

DrawRequest request_of(const std::string& name, const Json& run, const Goldens& goldens) {
  DrawRequest request;
  const auto& prompt = run["prompt"];
  request.prompts =
      prompt.is_array() ? prompt.get<std::vector<std::string>>() : std::vector<std::string>{prompt.get<std::string>()};
  request.negative = run["negative_prompt"];
  request.sampler = sampler_of(name, run["config"], run["scheduler"]);
  if (run["config"].value("use_karras_sigmas", false)) request.schedule = "karras";
  if (run["steps"].is_string()) {
    request.squeeze = run["steps"];
  } else {
    request.steps = run["steps"].get<int>();
  }
  if (run.contains("eta")) request.eta = run["eta"].get<double>();
  request.guidance = run["guidance_scale"].get<double>();
  request.guidance_rescale = run["guidance_rescale"].get<double>();
  request.seed = run["seed"].is_array() ? run["seed"][0].get<uint64_t>() : run["seed"].get<uint64_t>();
  if (prompt.is_array() && !run["seed"].is_array()) request.generators.emplace_back(*request.seed);
  request.width = run["width"].get<int64_t>();
  request.height = run["height"].get<int64_t>();
  if (run["pipeline"] != "StableDiffusionPipeline") request.init_values = values(goldens["init_image"]);
  if (run["pipeline"] == "StableDiffusionInpaintPipeline") request.mask = mask_picture(goldens["mask"]);
  if (run.contains("strength")) request.strength = run["strength"].get<double>();
  return request;
}

class GoldenRuns : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
  }
};

TEST_P(GoldenRuns, EveryStepOfEveryRunIsTheReferences) {
  const std::string name = GetParam();
  const Goldens goldens(golden_path(name + ".safetensors"));
  const auto runs = read_json(golden_path(name + ".json"));
  const auto model = Model::load({.files = {.model = golden_path("models/" + name).string()}, .ops = "reference"});
  for (const auto& [key, run] : runs.items()) {
    SCOPED_TRACE(name + " " + key);
    auto request = request_of(key, run, goldens);
    std::vector<at::Tensor> trail;
    request.after_row = [&](int, const pipeline::Values& latents) {
      trail.push_back(at::tensor(latents.data).view(latents.shape));
    };
    const auto drawing = model.draw(request);
    const auto expected = goldens[key + ".trail"];
    ASSERT_EQ(static_cast<int64_t>(trail.size()), expected.size(0));
    for (size_t i = 0; i < trail.size(); ++i)
      EXPECT_LT(relative_error(trail[i], expected[static_cast<int64_t>(i)]), 1e-3) << "step " << i;
    EXPECT_LT(relative_error(at::tensor(drawing.image.data).view(drawing.image.shape), goldens[key + ".image"]), 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenRuns, testing::ValuesIn(kModels));

TEST(StarterModel, DrawsItsSamplePictures) {
  const auto folder = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  const auto samples = read_json(folder / "samples/samples.json");
  const auto model = Model::load({.files = {.model = folder.string()}, .ops = "reference"});
  for (const auto& sample : samples) {
    DrawRequest request{.prompts = {sample["prompt"].get<std::string>()},
                        .steps = sample["steps"].get<int>(),
                        .guidance = sample["guidance_scale"].get<double>(),
                        .guidance_rescale = sample["guidance_rescale"].get<double>(),
                        .seed = sample["seed"].get<uint64_t>()};
    const auto drawing = model.draw(request);
    const Goldens expected(folder / "samples" / (sample["file"].get<std::string>() + ".safetensors"));
    const auto image = at::tensor(drawing.image.data).view(drawing.image.shape);
    EXPECT_LT((image - expected["image"]).abs().max().item<float>(), 1.0f / 255) << sample["prompt"];
  }
}

}  // namespace
}  // namespace fresco::test
