// The networks against what diffusers computes from the same weights.
#include <c10/core/GradMode.h>

#include "fresco/checkpoint/model_files.h"
#include "fresco/ops/dispatch.h"
#include "fresco/text/text_encoder.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"
#include "tests/networks/goldens.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

// Bounds of float32 sums in another order, relative to the largest magnitude, as the project asks of itself.
constexpr double kTextBound = 2e-5;
constexpr double kUnetBound = 2e-5;
constexpr double kVaeBound = 5e-5;

struct Networks {
  checkpoint::ModelFiles files;
  text::TextEncoder text;
  unet::UNet unet;
  vae::Vae vae;
};

bool has_middle(const checkpoint::TensorSource& tensors) {
  for (const auto& info : tensors.tensors()) {
    if (info.name.rfind("mid_block.", 0) == 0) return true;
  }
  return false;
}

Networks load(const std::string& model, const std::string& ops) {
  const layers::Preparation preparation{.ops = ops};
  auto files = checkpoint::open_model({.model = model}, no_observer());
  const auto weights = [&](const checkpoint::Part& part) {
    return layers::CheckpointWeights(part.tensors, preparation);
  };
  auto spec = unet::read_spec(files.unet.config, files.unet.config_place, has_middle(*files.unet.tensors));
  text::TextEncoder text(text::read_text_spec(files.text_encoder.config, "text"), weights(files.text_encoder),
                         preparation);
  unet::UNet unet(std::move(spec), weights(files.unet), preparation);
  vae::Vae vae(vae::read_vae_spec(files.vae.config, "vae"), weights(files.vae), preparation);
  return {std::move(files), std::move(text), std::move(unet), std::move(vae)};
}

class NetworksTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
    c10::InferenceMode guard;
    const auto& [model, ops] = GetParam();
    goldens_ = std::make_unique<Goldens>(shared() / "goldens" / (model + ".safetensors"));
    static std::map<std::string, std::shared_ptr<Networks>> loaded;
    auto& networks = loaded[model + ops];
    if (!networks) networks = std::make_shared<Networks>(load((shared() / "goldens/models" / model).string(), ops));
    networks_ = networks;
  }
  at::Tensor unet(const std::string& x, std::vector<float> times) const {
    c10::InferenceMode guard;
    const auto latents = (*goldens_)[x];
    if (times.size() == 1) times.resize(latents.size(0), times[0]);
    return networks_->unet.forward(latents, at::tensor(times), networks_->unet.bind((*goldens_)["unet.context"]));
  }

  std::unique_ptr<Goldens> goldens_;
  std::shared_ptr<Networks> networks_;
};

TEST_P(NetworksTest, TextEncoderGivesTheReferencesHiddenStates) {
  c10::InferenceMode guard;
  const auto ids = (*goldens_)["ids"];
  EXPECT_LT(relative_error(networks_->text.forward(ids), (*goldens_)["text_hidden"]), kTextBound);
  EXPECT_LT(relative_error(networks_->text.forward(ids, 1), (*goldens_)["text_hidden_clip_skip_1"]), kTextBound);
}

TEST_P(NetworksTest, UNetGivesTheReferencesOutputsAtAnyTime) {
  EXPECT_LT(relative_error(unet("unet.x", {981}), (*goldens_)["unet.out_981"]), kUnetBound);
  EXPECT_LT(relative_error(unet("unet.x", {40}), (*goldens_)["unet.out_40"]), kUnetBound);
  EXPECT_LT(relative_error(unet("unet.x", {500.375f}), (*goldens_)["unet.out_500.375"]), kUnetBound);
}

TEST_P(NetworksTest, UNetGivesEverySampleItsOwnTime) {
  EXPECT_LT(relative_error(unet("unet.x", {981, 40}), (*goldens_)["unet.out_981_and_40"]), kUnetBound);
}

// Two texts for one latent: what comes before the first look at the text is computed once, and nothing else changes.
TEST_P(NetworksTest, UNetDrawsOneLatentUnderSeveralTexts) {
  c10::InferenceMode guard;
  const auto context = (*goldens_)["unet.context"], x = (*goldens_)["unet.x"].narrow(0, 0, 1);
  const auto text = networks_->unet.bind(context);
  const auto together = networks_->unet.forward(x, at::full({1}, 321.0f), text);
  const auto apart = networks_->unet.forward(at::cat({x, x}), at::full({2}, 321.0f), text);
  EXPECT_LT(relative_error(together, apart), std::get<1>(GetParam()) == "reference" ? 1e-5 : 1e-30);
}

// One row of many times at once is that time alone.
TEST_P(NetworksTest, UNetTimesMayBeBoundAtOnce) {
  c10::InferenceMode guard;
  const auto x = (*goldens_)["unet.x"];
  const auto text = networks_->unet.bind((*goldens_)["unet.context"]);
  const auto times = networks_->unet.bind_time(at::tensor({981.0f, 500.0f, 1.0f}));
  const auto expected = networks_->unet.forward(x, at::full({2}, 500.0f), text);
  EXPECT_LT(relative_error(networks_->unet.forward(x, times.at(1, 2), text), expected), 1e-5);
}

TEST_P(NetworksTest, UNetRunsOddSides) {
  EXPECT_LT(relative_error(unet("unet.odd_x", {500}), (*goldens_)["unet.odd_out_500"]), kUnetBound);
}

TEST_P(NetworksTest, VaeDecodesAndEncodes) {
  c10::InferenceMode guard;
  EXPECT_LT(relative_error(networks_->vae.decode((*goldens_)["vae.z"]), (*goldens_)["vae.decoded"]), kVaeBound);
  EXPECT_LT(relative_error(networks_->vae.encode((*goldens_)["vae.image"]), (*goldens_)["vae.moments"]), kVaeBound);
}

TEST_P(NetworksTest, TheFormAskedForIsTheOneThatRan) {
  c10::InferenceMode guard;
  ops::FormRecorder recorder;
  unet("unet.x", {981});
  const std::string& form = std::get<1>(GetParam());
  for (const char* op : {"conv2d/", "linear/"}) EXPECT_EQ(recorder.counts().count(op + form), 1u) << op;
  for (const auto& [name, calls] : recorder.counts()) {
    if (form == "avx2") {
      EXPECT_EQ(name.find("avx512"), std::string::npos) << name;
    }
  }
}

std::vector<std::string> forms_here() {
  auto forms = isa_forms();
  std::erase_if(forms, is_narrow);  // with float32 products the same as avx512
  forms.emplace_back("reference");
  return forms;
}

INSTANTIATE_TEST_SUITE_P(Models, NetworksTest,
                         testing::Combine(testing::Values("tiny-sd15", "tiny-deci10", "tiny-deci20"),
                                          testing::ValuesIn(forms_here())));

TEST(UnmixedUNet, RunsResnetsFirstThenTransformers) {
  if (!has_goldens()) GTEST_SKIP() << "reference data is not beside this checkout";
  c10::InferenceMode guard;
  const auto folder = shared() / "goldens/models/tiny-unmixed/flexible_unet";
  const auto config = read_json(folder / "config.json");
  const layers::Preparation preparation{.ops = "reference"};
  const auto tensors = checkpoint::open_tensors((folder / "diffusion_pytorch_model.safetensors").string());
  const unet::UNet unet(unet::read_spec(config, "config.json"), layers::CheckpointWeights(tensors, preparation),
                        preparation);
  const Goldens goldens(shared() / "goldens/tiny-unmixed.safetensors");
  const auto out = unet.forward(goldens["unet.x"], at::full({2}, 700.0f), unet.bind(goldens["unet.context"]));
  EXPECT_LT(relative_error(out, goldens["unet.out_700"]), kUnetBound);
}

// The same class trains: with tensors that want gradients, autograd goes through every operator's definition. A central difference in
// float64 with step h has an error of h^2 times the third derivative; 1e-5 of the gradient leaves room.
TEST(TrainableUNet, GradientsAreThoseOfFiniteDifferences) {
  const auto folder = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128/flexible_unet";
  const layers::Preparation preparation{.type = at::kDouble, .ops = "reference"};
  const auto tensors = checkpoint::open_tensors((folder / "diffusion_pytorch_model.safetensors").string());
  const layers::CheckpointWeights stored(tensors, preparation);
  layers::ParameterMap parameters;
  for (const auto& info : tensors->tensors())
    parameters.tensors[info.name] = stored.get(info.name, info.shape).requires_grad_();
  const unet::UNet unet(unet::read_spec(read_json(folder / "config.json"), "config.json"), parameters, preparation);
  at::manual_seed(1);
  const auto x = at::randn({2, 4, 8, 8}, at::kDouble), context = at::randn({2, 77, 64}, at::kDouble);
  const auto time = at::tensor({700.0f, 20.0f});
  const auto loss = [&] { return unet.forward(x, time, unet.bind(context)).square().mean(); };
  loss().backward();
  for (const std::string name :
       {"conv_in.weight", "down_blocks.1.modules_list.1.transformer_blocks.0.attn2.to_k.weight",
        "mid_block.modules_list.0.norm1.bias", "up_blocks.0.modules_list.0.conv_shortcut.weight",
        "time_embedding.linear_1.bias"}) {
    auto& parameter = parameters.tensors.at(name);
    ASSERT_TRUE(parameter.grad().defined()) << name;
    const double slope = parameter.grad().flatten()[3].item<double>(), h = 1e-4;
    const c10::NoGradGuard guard;
    auto element = parameter.data().flatten()[3];
    element.add_(h);
    const double above = loss().item<double>();
    element.sub_(2 * h);
    const double below = loss().item<double>();
    element.add_(h);
    EXPECT_NEAR((above - below) / (2 * h), slope, 1e-5 * std::max(1.0, std::abs(slope))) << name;
  }
}

}  // namespace
}  // namespace fresco::test
