// What a caller hands to a drawing beside its settings: generators that stand somewhere, noise, schedulers, several pictures and negative
// prompts, callbacks that change what goes on.
#include "fresco/core/error.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/noise_stream.h"
#include "tests/networks/goldens.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Generator;
using pipeline::Model;
using pipeline::RowState;
using pipeline::Values;

const Model& starter() {
  static const Model model =
      Model::load({.files = {.model = (std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128").string()}});
  return model;
}

at::Tensor tensor_of(const Values& values) { return at::tensor(values.data).view(values.shape); }

Values values_of(const at::Tensor& t) {
  const auto plain = t.contiguous();
  return {plain.sizes().vec(), {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}};
}

at::Tensor randn(Generator& generator, at::IntArrayRef shape) {
  return pipeline::NoiseStream({generator}, shape[0]).draw(shape.slice(1).vec());
}

DrawRequest two_steps() {
  return {.prompts = {"a red circle"}, .steps = 2, .sampler = "euler-a", .seed = 7, .decode = false};
}

at::Tensor drawn(const DrawRequest& request) { return tensor_of(starter().draw(request).latents); }

// Batches block products otherwise: 1e-4 of the largest latent after two steps.
constexpr double kRounding = 1e-4;

TEST(Generators, ASeedAndItsGeneratorDrawTheSame) {
  auto request = two_steps();
  const auto expected = drawn(request);
  request.seed.reset();
  request.generators = {Generator(7)};
  EXPECT_TRUE(drawn(request).equal(expected));
}

TEST(Generators, GoOnWhereTheyStandAndAreLeftWhereTheDrawingEnded) {
  auto request = two_steps();
  request.generators = {Generator(7)};
  const auto first = drawn(request);
  const auto state = request.generators[0].state();
  const auto second = drawn(request);
  EXPECT_FALSE(second.equal(first));
  request.generators = {Generator::from_state(state)};
  EXPECT_EQ(request.generators[0].seed(), 7u);
  EXPECT_TRUE(drawn(request).equal(second));
  // euler-a: the start, then one draw a step.
  Generator same(7);
  for (int i = 0; i < 3; ++i) randn(same, {1, 4, 16, 16});
  EXPECT_EQ(same.state(), state);
}

TEST(Generators, OneForEachPictureWhateverTheBatches) {
  auto request = two_steps();
  request.count = 3;
  const auto expected = drawn(request);
  request.generators = {Generator(7), Generator(8), Generator(9)};
  request.batch = 2;
  EXPECT_LT(relative_error(drawn(request), expected), kRounding);
}

TEST(Generators, RefuseOtherNumbersAndForeignStates) {
  auto request = two_steps();
  request.count = 3;
  request.generators = {Generator(1), Generator(2)};
  EXPECT_THROW(drawn(request), InputError);
  EXPECT_THROW(Generator::from_state({1, 2, 3}), InputError);
  EXPECT_THROW(Generator::from_state(std::vector<uint8_t>(Generator(1).state().size(), 0xff)), InputError);
}

TEST(Noise, StandsInForWhatTheGeneratorWouldDrawFirst) {
  auto request = two_steps();
  request.sampler = "ddim";
  const auto expected = drawn(request);
  Generator generator(7);
  request.noise = values_of(randn(generator, {1, 4, 16, 16}));
  request.generators = {Generator(99)};
  const auto before = request.generators[0].state();
  EXPECT_TRUE(drawn(request).equal(expected));
  EXPECT_EQ(request.generators[0].state(), before);
}

TEST(Noise, DecidesTheSizeAndMustFitTheModel) {
  auto request = two_steps();
  request.noise = Values{{1, 4, 16, 24}, std::vector<float>(4 * 16 * 24, 0.5f)};
  EXPECT_EQ(drawn(request).size(3), 24);
  request.height = 64;
  EXPECT_THROW(drawn(request), InputError);
  for (const Values& wrong :
       {Values{{4, 16, 16}, std::vector<float>(1024)}, Values{{1, 3, 16, 16}, std::vector<float>(768)},
        Values{{1, 4, 16, 16}, {}}, Values{{1, 4, -16, 16}, {}}, Values{}}) {
    request.height.reset();
    request.noise = wrong;
    EXPECT_THROW(drawn(request), InputError);
  }
}

TEST(Negatives, BelongToTheirPrompts) {
  auto request = two_steps();
  request.prompts = {"a red circle", "a blue star"};
  request.negatives = {"a ring", "a cross"};
  const auto both = drawn(request);
  auto second = two_steps();
  second.prompts = {"a blue star"};
  second.negative = "a cross";
  second.seed = 8;
  EXPECT_LT(relative_error(drawn(second), both.narrow(0, 1, 1)), kRounding);
  request.negatives.pop_back();
  EXPECT_THROW(drawn(request), InputError);
}

Values encoded(const std::vector<std::string>& texts) {
  const auto& model = *starter().impl();
  std::vector<at::Tensor> ids;
  for (const auto& text : texts) ids.push_back(at::tensor(model.tokenizer.encode(text, 77).ids).view({1, 77}));
  return values_of(model.text_encoder.forward(at::cat(ids)));
}

TEST(Embeds, DrawWhatTheirTextsDraw) {
  auto request = two_steps();
  request.prompts = {"a red circle", "a blue star"};
  request.negatives = {"a ring", "a cross"};
  request.count = 2;
  request.batch = 3;
  const auto expected = drawn(request);
  auto prompts = request;
  prompts.prompts.clear();
  prompts.prompt_embeds = encoded(request.prompts);
  EXPECT_LT(relative_error(drawn(prompts), expected), kRounding);
  auto negatives = request;
  negatives.negatives.clear();
  negatives.negative_prompt_embeds = encoded(request.negatives);
  EXPECT_LT(relative_error(drawn(negatives), expected), kRounding);
  auto both = prompts;
  both.negatives.clear();
  both.negative_prompt_embeds = encoded({"a ring", "a cross"});
  const auto drawing = starter().draw(both);
  EXPECT_LT(relative_error(tensor_of(drawing.latents), expected), kRounding);
  EXPECT_EQ(drawing.settings["prompt_embeds"], Json({2, 77, starter().impl()->specs.text.width}));
  both.guidance = 1;
  request.guidance = 1;
  EXPECT_LT(relative_error(drawn(both), drawn(request)), kRounding);
}

TEST(Embeds, OfAnyLengthWhereBothSidesHaveIt) {
  auto request = two_steps();
  request.prompts.clear();
  const auto text = tensor_of(encoded({"a red circle"}));
  request.prompt_embeds = values_of(at::cat({text, text}, 1));
  EXPECT_THROW(drawn(request), InputError);
  request.negative_prompt_embeds = values_of(at::cat({text, text}, 1));
  EXPECT_NO_THROW(drawn(request));
}

TEST(Embeds, RefuseOtherShapesAndTextsBesideThem) {
  auto request = two_steps();
  request.prompt_embeds = encoded({"a red circle"});
  EXPECT_THROW(drawn(request), InputError);  // prompts too
  request.prompts.clear();
  EXPECT_NO_THROW(drawn(request));
  request.negative_prompt_embeds = encoded({"a", "b"});
  EXPECT_THROW(drawn(request), InputError);
  request.negative_prompt_embeds = encoded({"a"});
  request.negative = "a ring";
  EXPECT_THROW(drawn(request), InputError);
  request.negative.clear();
  for (const auto& wrong : {Values{}, Values{{77, 4}, {}}, Values{{0, 77, 768}, {}}, Values{{1, -1, -1}, {1}},
                            Values{{int64_t{1} << 40, int64_t{1} << 40, 1}, {}}}) {
    request.prompt_embeds = wrong;
    EXPECT_THROW(drawn(request), InputError);
  }
}

TEST(Scheduler, IsTakenAsItStands) {
  auto request = two_steps();
  request.sampler.clear();
  request.scheduler = Json::parse(R"({"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "beta_end": 0.012, "prediction_type": "v_prediction", "timestep_spacing": "trailing"})");
  const auto euler = starter().draw(request);
  EXPECT_EQ(euler.settings["sampler"], "euler");
  EXPECT_EQ(euler.settings["plan"], "euler, 2 steps, trailing");
  request.scheduler["_class_name"] = "NobodysScheduler";
  EXPECT_THROW(drawn(request), FormatError);
}

TEST(InitValues, MayBeOneForEachPicture) {
  auto request = two_steps();
  request.count = 2;
  request.strength = 1;
  Generator generator(3);
  const auto pictures = randn(generator, {2, 3, 128, 128}).sigmoid();
  request.init_values = values_of(pictures);
  const auto both = drawn(request);
  auto second = request;
  second.count = 1;
  second.seed = 8;
  second.init_values = values_of(pictures.narrow(0, 1, 1));
  EXPECT_LT(relative_error(drawn(second), both.narrow(0, 1, 1)), kRounding);
  request.init_values = values_of(pictures.expand({2, 3, 128, 128}).repeat({2, 1, 1, 1}).narrow(0, 0, 3));
  EXPECT_THROW(drawn(request), InputError);
  request.init_values = Values{{2, 2}, {1, 2, 3, 4}};
  EXPECT_THROW(drawn(request), InputError);
}

TEST(OnRow, SeesEveryRowAndWhatItChangesGoesOn) {
  auto request = two_steps();
  request.sampler = "ddim";
  std::vector<double> timesteps;
  at::Tensor last;
  request.on_row = [&](RowState& state) {
    EXPECT_EQ(state.row, static_cast<int>(timesteps.size()));
    EXPECT_EQ(state.context.size(0), 2);
    timesteps.push_back(state.timestep);
    last = state.latents;
  };
  const auto untouched = drawn(request);
  EXPECT_EQ(timesteps.size(), 2u);
  EXPECT_TRUE(last.equal(untouched));
  request.on_row = [](RowState& state) { state.latents = at::zeros_like(state.latents); };
  EXPECT_EQ(drawn(request).abs().max().item<float>(), 0);
}

// Guidance of 1 after the first row is the prompt alone, as a drawing without guidance has it from the start: compare the second row's.
TEST(OnRow, MayEndGuidanceAndStop) {
  auto request = two_steps();
  request.sampler = "ddim";
  at::Tensor middle;
  request.on_row = [&](RowState& state) {
    if (state.row > 0) return;
    middle = state.latents;
    state.guidance = 1;
    state.context = state.context.chunk(2)[1];
  };
  const auto half_guided = drawn(request);
  EXPECT_FALSE(middle.equal(at::zeros_like(middle)));
  request.on_row = {};
  EXPECT_GT(relative_error(drawn(request), half_guided), 1e-3);
  request.on_row = [&](RowState& state) { state.stop = true; };
  const auto stopped = starter().draw(request);
  EXPECT_EQ(stopped.step_seconds.size(), 1u);
}

TEST(OnRow, RefusesWhatTheNextRowCannotTake) {
  auto request = two_steps();
  request.on_row = [](RowState& state) { state.latents = state.latents.narrow(2, 0, 8); };
  EXPECT_THROW(drawn(request), InputError);
  request.on_row = [](RowState& state) { state.guidance = 1; };
  EXPECT_THROW(drawn(request), InputError);
  request.on_row = [](RowState& state) { state.context = at::Tensor(); };
  EXPECT_THROW(drawn(request), InputError);
}

TEST(Decode, IsLeftOutWhereLatentsAreAllThatIsWanted) {
  const auto drawing = starter().draw(two_steps());
  EXPECT_TRUE(drawing.pictures.empty());
  EXPECT_TRUE(drawing.image.data.empty());
  EXPECT_EQ(drawing.latents.shape, (std::vector<int64_t>{1, 4, 16, 16}));
}

}  // namespace
}  // namespace fresco::test
