// A plan that the caller brings draws what it says.
#include <gmock/gmock.h>

#include <filesystem>

#include "fresco/core/error.h"
#include "fresco/pipeline/model.h"
#include "fresco/sampling/sampler.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Model;

checkpoint::ModelFiles starter() {
  const auto folder = std::filesystem::path(FRESCO_SOURCE_DIR) / "models/starter-128";
  return checkpoint::open_model({.model = folder.string()}, no_observer());
}

DrawRequest request() { return {.prompts = {"a red circle"}, .seed = 3, .width = 64, .height = 64}; }

TEST(OwnPlan, ThatIsASamplersDrawsWhatTheSamplerDraws) {
  const auto files = starter();
  const auto model = Model::load(files, {});
  auto named = request();
  named.sampler = "euler-a";
  named.steps = 3;
  auto own = request();
  own.plan = sampling::make_plan(files.scheduler, files.scheduler_place, {.sampler = "euler-a", .steps = 3});
  EXPECT_EQ(model.draw(own).image.data, model.draw(named).image.data);
}

TEST(OwnPlan, BeginsImageToImageAtItsStart) {
  const auto files = starter();
  const auto model = Model::load(files, {});
  auto named = request();
  named.init =
      image::Picture{.width = 64, .height = 64, .channels = 3, .pixels = std::vector<uint8_t>(64 * 64 * 3, 90)};
  auto own = named;
  named.strength = 0.5;
  named.steps = 6;
  own.plan = sampling::make_plan(files.scheduler, files.scheduler_place, {.steps = 6, .strength = 0.5});
  const auto drawing = model.draw(own);
  EXPECT_EQ(drawing.image.data, model.draw(named).image.data);
  EXPECT_EQ(drawing.settings["model_calls"], 3);
  EXPECT_FALSE(drawing.settings.contains("strength"));
}

TEST(OwnPlan, StandsAlone) {
  auto both = request();
  both.plan = sampling::SamplingPlan{};
  EXPECT_THROW(pipeline::check_request(starter(), both), InputError);
  both.plan->rows.push_back({.timestep = 1, .entry = {.sample = 1}, .update = {.sample = 1}});
  EXPECT_NO_THROW(pipeline::check_request(starter(), both));
  both.steps = 4;
  EXPECT_THROW(pipeline::check_request(starter(), both), InputError);
}

}  // namespace
}  // namespace fresco::test
