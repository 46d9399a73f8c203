// Plans that callers made themselves are refused with the row and the reason, before anything runs on them.
#include "fresco/sampling/check_plan.h"

#include <gmock/gmock.h>

#include <limits>

#include "fresco/core/error.h"
#include "fresco/sampling/mix.h"
#include "fresco/sampling/sampler.h"

namespace fresco::sampling {
namespace {

using testing::HasSubstr;

SamplingPlan two_rows() {
  const Row row{.timestep = 500, .entry = sample() + output(-0.5), .update = history(0)};
  return {.rows = {row, row}};
}

std::string refusal(const SamplingPlan& plan) {
  try {
    check_plan(plan);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

struct Broken {
  std::string name;
  void (*change)(SamplingPlan&);
  std::string where, problem;
};

class BrokenPlans : public testing::TestWithParam<Broken> {};

TEST_P(BrokenPlans, AreRefused) {
  auto plan = two_rows();
  GetParam().change(plan);
  EXPECT_THAT(refusal(plan), testing::AllOf(HasSubstr(GetParam().where), HasSubstr(GetParam().problem)));
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    All, BrokenPlans,
    testing::Values(
        Broken{"empty", [](SamplingPlan& p) { p.rows.clear(); }, "plan", "rows, got 0"},
        Broken{"nan", [](SamplingPlan& p) { p.rows[1].update.sample = kNan; }, "row 2", "finite"},
        Broken{"timestep", [](SamplingPlan& p) { p.rows[0].timestep = kNan; }, "row 1", "finite"},
        Broken{"start", [](SamplingPlan& p) { p.start.noise = kNan; }, "plan", "start"},
        Broken{"slope", [](SamplingPlan& p) { p.rows[0].slope = Slope{.sigma = 0, .change = 1}; }, "row 1", "sigma"},
        Broken{"history", [](SamplingPlan& p) { p.rows[0].update = history(1); }, "row 1", "history[1]"},
        Broken{"dropped", [](SamplingPlan& p) { p.rows[0].drops = 1, p.rows[1].update = history(1); }, "row 2",
               "history[1]"},
        Broken{"drops", [](SamplingPlan& p) { p.rows[1].drops = 3; }, "row 2", "0 to 2"},
        Broken{"negative", [](SamplingPlan& p) { p.rows[1].drops = -1; }, "row 2", "0 to 2"},
        Broken{"kept", [](SamplingPlan& p) { p.rows[1].update = kept(); }, "row 2", "kept"},
        Broken{"noise", [](SamplingPlan& p) { p.rows[1].update = noise(); }, "row 2", "noise"},
        Broken{"correction", [](SamplingPlan& p) { p.rows[0].correction = noise(); }, "row 1", "correction"},
        Broken{"entry", [](SamplingPlan& p) { p.rows[1].entry = history(0); }, "row 2", "entry"}),
    [](const auto& info) { return info.param.name; });

TEST(CheckPlan, LetsEverySamplersPlanPass) {
  const Json config = {{"_class_name", "DDIMScheduler"}, {"prediction_type", "v_prediction"}};
  for (const auto& info : samplers()) {
    PlanRequest request{.sampler = info.name, .default_steps = 12};
    EXPECT_NO_THROW(check_plan(make_plan(config, "scheduler_config.json", request))) << info.name;
  }
}

}  // namespace
}  // namespace fresco::sampling
