// Requests that make no sense and configs that are broken end in one line that names the option or
// the key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/sampling/sampler.h"

namespace fresco::sampling {
namespace {

using testing::HasSubstr;

const char* const kPlace = "scheduler/scheduler_config.json";
const Json kDdim = {
    {"_class_name", "DDIMScheduler"}, {"prediction_type", "v_prediction"}, {"beta_schedule", "squaredcos_cap_v2"}};

template <typename Wanted>
std::string message(const Json& config, const PlanRequest& request) {
  try {
    make_plan(config, kPlace, request);
  } catch (const Wanted& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another kind of error: ") + error.what();
  }
  return "no error";
}

struct BadRequest {
  std::string name;
  PlanRequest request;
  std::vector<std::string> words;
};

class BadRequests : public testing::TestWithParam<BadRequest> {};

TEST_P(BadRequests, AreRefusedInWords) {
  const auto text = message<InputError>(kDdim, GetParam().request);
  for (const auto& word : GetParam().words) EXPECT_THAT(text, HasSubstr(word));
  EXPECT_THAT(text, testing::Not(HasSubstr("\n")));
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Requests, BadRequests,
    testing::ValuesIn(std::vector<BadRequest>{
        {"unknown_sampler", {.sampler = "eular"}, {"--sampler", "eular", "did you mean euler?", "squeezed-dpmpp"}},
        {"no_steps", {.steps = 0}, {"--steps", "1 to 1000", "got 0"}},
        {"too_many_steps", {.steps = 1001}, {"--steps", "1 to 1000", "got 1001"}},
        {"too_many_steps_for_lcm", {.sampler = "lcm", .steps = 51}, {"--steps", "at most 50", "got 51"}},
        {"steps_with_squeeze", {.sampler = "squeezed-dpmpp", .steps = 10}, {"--steps", "--squeeze"}},
        {"squeeze_elsewhere", {.squeeze = "10,6"}, {"--squeeze", "ddim"}},
        {"unknown_squeeze", {.sampler = "squeezed-dpmpp", .squeeze = "12,8"}, {"--squeeze", "10,6 or 11,7", "12,8"}},
        {"schedule_of_the_squeezed",
         {.sampler = "squeezed-dpmpp", .schedule = "karras"},
         {"--schedule", "squeezed-dpmpp"}},
        {"unknown_schedule",
         {.sampler = "euler", .schedule = "cosine"},
         {"--schedule", "karras, exponential, beta", "cosine"}},
        {"schedule_elsewhere", {.schedule = "karras"}, {"--schedule", "ddim", "dpmpp-2m"}},
        {"eta_elsewhere", {.sampler = "euler", .eta = 0.5}, {"--eta", "only ddim", "euler"}},
        {"eta_above_one", {.eta = 1.5}, {"--eta", "0 to 1", "1.5"}},
        {"eta_not_a_number", {.eta = kNan}, {"--eta", "nan"}},
        {"strength_zero", {.strength = 0.0}, {"--strength", "above 0", "got 0"}},
        {"strength_above_one", {.strength = 1.2}, {"--strength", "1.2"}},
        {"strength_not_a_number", {.strength = kNan}, {"--strength", "nan"}},
        {"no_step_left", {.steps = 5, .strength = 0.1}, {"--strength", "0.1 of 5 steps", "0.2"}},
        {"karras_with_cosine_betas",
         {.sampler = "dpmpp-2m", .schedule = "karras", .steps = 10},
         {"--schedule", "998", "10 steps"}},
    }),
    [](const auto& info) { return info.param.name; });

struct BadConfig {
  std::string name;
  std::string sampler;
  Json change;
  std::vector<std::string> words;
};

class BadConfigs : public testing::TestWithParam<BadConfig> {};

TEST_P(BadConfigs, AreRefusedWithFileAndKey) {
  Json config = kDdim;
  config.update(GetParam().change);
  const auto text = message<FormatError>(config, {.sampler = GetParam().sampler, .steps = 10});
  EXPECT_THAT(text, HasSubstr(kPlace));
  for (const auto& word : GetParam().words) EXPECT_THAT(text, HasSubstr(word));
}

INSTANTIATE_TEST_SUITE_P(
    Configs, BadConfigs,
    testing::ValuesIn(std::vector<BadConfig>{
        {"unknown_class",
         "",
         {{"_class_name", "FancyScheduler"}},
         {"FancyScheduler", "DDIMScheduler", "--sampler", "dpmpp-2m"}},
        {"class_is_a_number", "", {{"_class_name", 3}}, {"_class_name", "a string"}},
        {"no_train_steps", "", {{"num_train_timesteps", 0}}, {"num_train_timesteps", "got 0"}},
        {"train_steps_negative", "", {{"num_train_timesteps", -5}}, {"num_train_timesteps", "-5"}},
        {"train_steps_enormous", "", {{"num_train_timesteps", 1000000000}}, {"num_train_timesteps", "1000000000"}},
        {"train_steps_beyond_64_bits", "", {{"num_train_timesteps", 18446744073709551615u}}, {"num_train_timesteps"}},
        {"train_steps_a_fraction", "", {{"num_train_timesteps", 10.5}}, {"num_train_timesteps", "an integer"}},
        {"beta_a_word", "", {{"beta_start", "NaN"}}, {"beta_start", "a number", "NaN"}},
        {"beta_above_one", "", {{"beta_end", 2}}, {"beta_end", "from 0 to 1"}},
        {"beta_negative", "", {{"beta_start", -1}}, {"beta_start"}},
        {"unknown_beta_schedule", "", {{"beta_schedule", "exp"}}, {"beta_schedule", "scaled_linear", "exp"}},
        {"too_few_trained_betas", "", {{"trained_betas", {0.1, 0.2}}}, {"trained_betas", "1000"}},
        {"trained_betas_of_words", "", {{"trained_betas", {"a"}}}, {"trained_betas", "a list"}},
        {"unknown_prediction", "", {{"prediction_type", "flow_prediction"}}, {"prediction_type", "v_prediction"}},
        {"prediction_the_sampler_lacks", "pndm", {{"prediction_type", "sample"}}, {"prediction_type", "sample"}},
        {"unknown_spacing", "", {{"timestep_spacing", "random"}}, {"timestep_spacing", "trailing"}},
        {"offset_beyond_the_schedule", "", {{"steps_offset", 5000}}, {"steps_offset"}},
        {"thresholding", "", {{"thresholding", true}}, {"thresholding", "does not support"}},
        {"clip_is_a_word", "", {{"clip_sample", "yes"}}, {"clip_sample", "true or false"}},
        {"lu_lambdas", "dpmpp-2m", {{"use_lu_lambdas", true}}, {"use_lu_lambdas"}},
        {"flow_sigmas", "unipc", {{"use_flow_sigmas", true}}, {"use_flow_sigmas"}},
        {"two_sigma_schedules",
         "euler",
         {{"use_karras_sigmas", true}, {"use_beta_sigmas", true}},
         {"use_karras_sigmas", "got 2"}},
        {"old_algorithm",
         "",
         {{"_class_name", "DPMSolverMultistepScheduler"}, {"algorithm_type", "dpmsolver"}},
         {"algorithm_type"}},
        {"order_four", "unipc", {{"solver_order", 4}}, {"solver_order", "1 to 3"}},
        {"noise_prediction_of_unipc", "unipc", {{"predict_x0", false}}, {"predict_x0"}},
        {"learned_variance", "ddpm", {{"variance_type", "learned_range"}}, {"variance_type"}},
        {"logarithm_of_a_variance", "ddpm", {{"variance_type", "fixed_large_log"}}, {"variance_type"}},
        {"log_linear_sigmas", "euler", {{"interpolation_type", "log_linear"}}, {"interpolation_type"}},
        {"unknown_last_sigma", "euler", {{"final_sigmas_type", "one"}}, {"final_sigmas_type", "sigma_min"}},
        {"original_steps_beyond_training", "lcm", {{"original_inference_steps", 2000}}, {"original_inference_steps"}},
    }),
    [](const auto& info) { return info.param.name; });

TEST(BadConfig, MustBeAnObject) { EXPECT_THAT(message<FormatError>(Json::array(), {}), HasSubstr("a JSON object")); }

TEST(BadConfig, OfAnUnknownClassServesANamedSampler) {
  Json config = kDdim;
  config["_class_name"] = "FancyScheduler";
  EXPECT_EQ(make_plan(config, kPlace, {.sampler = "ddim"}).rows.size(), 50u);
}

// Plans with infinite or undefined coefficients are never handed out.
TEST(UndefinedPlans, AreRefused) {
  const Json epsilon_without_signal = {
      {"_class_name", "DDIMScheduler"}, {"rescale_betas_zero_snr", true}, {"timestep_spacing", "trailing"}};
  EXPECT_THAT(message<InputError>(epsilon_without_signal, {}), HasSubstr("no finite solution"));
  const Json no_lower_order = {{"_class_name", "UniPCMultistepScheduler"}, {"lower_order_final", false}};
  EXPECT_THAT(message<InputError>(no_lower_order, {.steps = 10}), HasSubstr("no finite solution"));
}

// Euler ancestral from sigma 20291 in three steps: rounding leaves a negative number under a root,
// which counts as nothing.
TEST(UndefinedPlans, DoNotComeFromRounding) {
  Json config = kDdim;
  config["timestep_spacing"] = "trailing";
  EXPECT_EQ(make_plan(config, kPlace, {.sampler = "euler-a", .steps = 3}).rows.size(), 3u);
}

TEST(SqueezedSampler, IsForModelsThatPredictVelocities) {
  const Json noise = {{"_class_name", "PNDMScheduler"}};
  EXPECT_THAT(message<InputError>(noise, {.sampler = "squeezed-dpmpp"}), HasSubstr("v_prediction"));
}

}  // namespace
}  // namespace fresco::sampling
