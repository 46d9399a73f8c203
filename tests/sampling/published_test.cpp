// Values that papers, model cards and public code state, and rules that decide which plan a request
// gets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fresco/core/json.h"
#include "fresco/sampling/beta_quantile.h"
#include "fresco/sampling/sampler.h"
#include "fresco/sampling/samplers.h"

namespace fresco::sampling {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::Pointwise;

// The published scheduler files.
const Json kStableDiffusion = parse_json(R"({"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012,
  "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "set_alpha_to_one": false, "skip_prk_steps": true,
  "steps_offset": 1, "trained_betas": null, "clip_sample": false})",
                                         "Stable Diffusion");
const Json kDeci = parse_json(R"({"_class_name": "DDIMScheduler", "beta_start": 0.0001, "beta_end": 0.02,
  "beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 1000, "clip_sample": false, "set_alpha_to_one": false,
  "steps_offset": 1, "prediction_type": "v_prediction", "timestep_spacing": "trailing",
  "rescale_betas_zero_snr": true})",
                              "Deci");

SamplingPlan plan(const Json& config, const PlanRequest& request) {
  return make_plan(config, "scheduler_config.json", request);
}

std::vector<double> timesteps(const SamplingPlan& plan) {
  std::vector<double> values;
  for (const Row& row : plan.rows) values.push_back(row.timestep);
  return values;
}

// noise / signal of what each row starts from.
std::vector<double> sigmas(const SamplingPlan& plan) {
  std::vector<double> values = {plan.start.noise / plan.start.signal};
  for (const Row& row : plan.rows) values.push_back(row.reached.noise / row.reached.signal);
  values.pop_back();
  return values;
}

// Relative deviation of at most a unit in the last of six published digits.
MATCHER(IsAbout, "") {
  return std::abs(std::get<0>(arg) - std::get<1>(arg)) <= 1e-5 * std::abs(std::get<1>(arg)) + 1e-9;
}
auto are_about(std::vector<double> values) { return Pointwise(IsAbout(), values); }

TEST(PublishedTimesteps, OfDeciDiffusion1) {
  const std::vector<double> thirty = {999, 966, 932, 899, 866, 832, 799, 766, 732, 699, 666, 632, 599, 566, 532,
                                      499, 466, 432, 399, 366, 332, 299, 266, 232, 199, 166, 132, 99,  66,  32};
  EXPECT_THAT(timesteps(plan(kDeci, {.steps = 30})), ElementsAreArray(thirty));
  EXPECT_THAT(timesteps(plan(kDeci, {.steps = 10})), ElementsAre(999, 899, 799, 699, 599, 499, 399, 299, 199, 99));
  const auto fifty = timesteps(plan(kDeci, {.steps = 50}));
  EXPECT_EQ(fifty.size(), 50u);
  EXPECT_EQ(fifty[1], 979);
  EXPECT_EQ(fifty.back(), 19);
  const std::vector<double> thirty_five = {999, 970, 942, 913, 885, 856, 828, 799, 770, 742, 713, 685,
                                           656, 628, 599, 570, 542, 513, 485, 456, 428, 399, 370, 342,
                                           313, 285, 256, 228, 199, 170, 142, 113, 85,  56,  28};
  EXPECT_THAT(timesteps(plan(kDeci, {.steps = 35})), ElementsAreArray(thirty_five));
}

// DDIM steps to t - 1000 / steps, not to the next timestep: from 966 to 933, though 932 comes next.
TEST(Ddim, StepsByAWholeStride) {
  const auto settings = read_settings(kDeci, "Deci", "", Loading::plain);
  const NoiseSchedule schedule(settings);
  const double a = schedule.alpha_bar(966), a_previous = schedule.alpha_bar(933);
  const Row row = plan(kDeci, {.steps = 30}).rows[1];
  EXPECT_NEAR(row.update.history[0], std::sqrt(a_previous), 1e-7);
  EXPECT_NEAR(row.update.output, std::sqrt(1 - a_previous) * std::sqrt(a), 1e-7);
  EXPECT_NEAR(row.reached.signal, std::sqrt(schedule.alpha_bar(932)), 1e-7);
}

TEST(PublishedAlphaBars, OfTheCosineScheduleAndItsZeroSnrRescale) {
  struct Case {
    int t;
    double plain, rescaled;
  };
  const std::vector<Case> cases = {{0, 0.999958716, 0.999958716},     {10, 0.999278904, 0.99927887},
                                   {100, 0.971575682, 0.971574293},   {500, 0.492285172, 0.492264539},
                                   {900, 0.0236161088, 0.0236032907}, {998, 2.42876691e-6, 2.27781148e-6}};
  auto settings = read_settings(kDeci, "Deci", "", Loading::plain);
  const NoiseSchedule rescaled(settings), floored(settings, true);
  settings.zero_snr = false;
  const NoiseSchedule plain(settings);
  for (const auto& [t, plain_value, rescaled_value] : cases) {
    EXPECT_NEAR(plain.alpha_bar(t), plain_value, 2e-5 * plain_value) << t;
    EXPECT_NEAR(rescaled.alpha_bar(t), rescaled_value, 2e-5 * rescaled_value) << t;
  }
  EXPECT_EQ(rescaled.alpha_bar(999), 0);
  EXPECT_EQ(floored.alpha_bar(999), 0x1p-24f);
}

TEST(PublishedTimesteps, OfTheSqueezedSampler) {
  const auto ten = plan(kDeci, {.sampler = "squeezed-dpmpp", .squeeze = "10,6"});
  EXPECT_THAT(timesteps(ten), ElementsAre(998, 936, 873, 811, 748, 686, 548, 411, 274, 137));
  EXPECT_THAT(sigmas(ten),
              are_about({641.662, 10.1524, 5.02693, 3.31487, 2.42467, 1.88479, 1.18034, 0.767166, 0.47181, 0.231171}));
  const auto eleven = plan(kDeci, {.sampler = "squeezed-dpmpp", .squeeze = "11,7"});
  EXPECT_THAT(timesteps(eleven), ElementsAre(998, 936, 873, 811, 748, 686, 624, 496, 372, 248, 124));
  EXPECT_EQ(ten.steps, 10);
  // The last step is of first order, to the noise of the first timestep: 0.00642541.
  EXPECT_EQ(ten.rows.back().update.history[1], 0);
  EXPECT_NEAR(ten.rows.back().update.sample, 0.00642541 / 0.231171 * std::sqrt(1 + 0.231171 * 0.231171), 1e-5);
}

TEST(PublishedTimesteps, OfLatentConsistencyModels) {
  EXPECT_THAT(timesteps(plan(kStableDiffusion, {.sampler = "lcm", .steps = 2})), ElementsAre(999, 499));
  EXPECT_THAT(timesteps(plan(kStableDiffusion, {.sampler = "lcm", .steps = 4})), ElementsAre(999, 759, 499, 259));
  EXPECT_THAT(timesteps(plan(kStableDiffusion, {.sampler = "lcm", .steps = 6})),
              ElementsAre(999, 839, 679, 499, 339, 179));
}

TEST(PublishedSigmas, OfKarrasAndOthers) {
  const std::vector<double> karras = {14.614647, 9.102938, 5.478401, 3.168611, 1.749423,
                                      0.914077,  0.446921, 0.2014,   0.081911, 0.029168};
  const auto euler = plan(kStableDiffusion, {.sampler = "euler", .schedule = "karras", .steps = 10});
  for (size_t i = 0; i < karras.size(); ++i) EXPECT_NEAR(sigmas(euler)[i], karras[i], 2e-6 * karras[0]) << i;
  EXPECT_NEAR(euler.rows[1].timestep, 916.2841, 1e-3);
  const auto dpm = [](const char* schedule) {
    return timesteps(plan(kStableDiffusion, {.sampler = "dpmpp-2m", .schedule = schedule, .steps = 10}));
  };
  EXPECT_THAT(dpm("karras"), ElementsAre(999, 916, 815, 687, 523, 327, 146, 41, 7, 0));
  EXPECT_THAT(dpm("exponential"), ElementsAre(998, 874, 723, 538, 329, 152, 52, 14, 2, 0));
  const double quantiles[] = {1,          0.95290818, 0.8543989, 0.72458671,  0.57682524,
                              0.42317476, 0.27541329, 0.1456011, 0.047091818, 0};
  for (int i = 0; i < 10; ++i) EXPECT_NEAR(beta_quantile(1 - i / 9.0, 0.6), quantiles[i], 1e-8);
}

TEST(PublishedTimesteps, OfHeun) {
  const auto heun = plan(kStableDiffusion, {.sampler = "heun", .steps = 4});
  EXPECT_THAT(timesteps(heun), ElementsAre(999, 666, 666, 333, 333, 0, 0));
  const std::vector<double> expected = {14.6146, 2.9183, 2.9183, 0.9324, 0.9324, 0.0292, 0.0292};
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(sigmas(heun)[i], expected[i], 5.1e-5) << i;
  EXPECT_NEAR(heun.initial_noise, 14.6146, 5e-5);
}

// "leading" is PNDM's own default and not in Stable Diffusion's file, so it does not travel to
// other classes.
TEST(AnotherSampler, TakesWhatTheFileStatesAndItsOwnDefaults) {
  const auto twenty = [](const char* sampler) {
    return timesteps(plan(kStableDiffusion, {.sampler = sampler, .steps = 20}));
  };
  EXPECT_EQ(twenty("dpmpp-2m")[1], 949);
  EXPECT_NEAR(twenty("euler")[1], 946.421, 1e-3);
  EXPECT_EQ(twenty("ddim").front(), 951);
  EXPECT_EQ(twenty("ddim").back(), 1);
  Json saved_again = kStableDiffusion;
  saved_again["timestep_spacing"] = "leading";
  EXPECT_EQ(timesteps(plan(saved_again, {.sampler = "dpmpp-2m", .steps = 20}))[1], 894);
  EXPECT_NEAR(plan(saved_again, {.sampler = "euler", .steps = 20}).initial_noise, 11.0736, 1e-4);
  EXPECT_NEAR(plan(kDeci, {.sampler = "euler", .steps = 20}).initial_noise, 4096, 1e-3);
  EXPECT_NEAR(plan(kDeci, {.sampler = "heun", .steps = 20}).initial_noise, 20291.303, 0.01);
}

TEST(OwnClass, IsMendedAsPipelinesMendIt) {
  Json config = kDeci;
  config.erase("clip_sample");
  config.erase("steps_offset");
  config["timestep_spacing"] = "leading";
  const auto own = plan(config, {.steps = 10});
  EXPECT_FALSE(own.rows[0].clip);
  EXPECT_EQ(own.rows.back().timestep, 1);
  const auto other = plan(config, {.sampler = "ddpm", .steps = 10});  // DDPM's own defaults: clips, no offset
  EXPECT_EQ(other.rows[0].clip, 1);
  EXPECT_EQ(other.rows.back().timestep, 0);
}

TEST(OwnClass, NamesTheVariantOfDpmSolver) {
  Json config = {{"_class_name", "DPMSolverMultistepScheduler"}};
  EXPECT_EQ(plan(config, {}).sampler, "dpmpp-2m");
  config["solver_order"] = 3;
  EXPECT_EQ(plan(config, {}).sampler, "dpmpp-3m");
  config["algorithm_type"] = "sde-dpmsolver++";
  EXPECT_EQ(plan(config, {}).sampler, "dpmpp-2m-sde");
}

// Python writes minus infinity as a bare word.
TEST(OwnClass, ReadsMinusInfinityAsNoClipping) {
  const auto config =
      parse_json(R"({"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity})", "config");
  EXPECT_EQ(timesteps(plan(config, {.steps = 10}))[0], 999);
}

TEST(StartInTheMiddle, RunsTheLastPartOfTheWholePlan) {
  const auto whole = plan(kStableDiffusion, {.sampler = "dpmpp-2m", .steps = 50});
  const auto part = plan(kStableDiffusion, {.sampler = "dpmpp-2m", .steps = 50, .strength = 0.58});
  ASSERT_EQ(part.rows.size(), 28u);  // 50 * 0.58 is 28.999... in double
  EXPECT_EQ(part.steps, 50);
  EXPECT_EQ(part.rows[0].timestep, whole.rows[22].timestep);
  EXPECT_NEAR(part.start.noise, whole.rows[21].reached.noise, 1e-12);
  EXPECT_EQ(part.rows[0].update.history[1], 0);  // history begins here
  EXPECT_NE(whole.rows[22].update.history[1], 0);
}

TEST(StartInTheMiddle, CountsTheExtraCallsOfPndmAndHeun) {
  const auto pndm = plan(kStableDiffusion, {.steps = 50, .strength = 0.8});
  EXPECT_EQ(pndm.rows.size(), 41u);
  EXPECT_EQ(timesteps(pndm)[0], 801);
  EXPECT_EQ(plan(kStableDiffusion, {.sampler = "heun", .steps = 10, .strength = 0.5}).rows.size(), 9u);
}

TEST(Levels, EndWithTheCleanPicture) {
  for (const auto& info : samplers()) {
    const auto& config = info.name == "squeezed-dpmpp" ? kDeci : kStableDiffusion;
    PlanRequest request{.sampler = info.name, .strength = 1.0};
    if (info.name != "squeezed-dpmpp") request.steps = 8;
    const auto last = plan(config, request).rows.back().reached;
    EXPECT_EQ(last.signal, 1) << info.name;
    EXPECT_EQ(last.noise, 0) << info.name;
  }
}

TEST(RandomDraws, HappenWhereDiffusersDraws) {
  const auto draws = [](const char* sampler, double eta = 0) {
    std::string pattern;
    for (const Row& row : plan(kStableDiffusion, {.sampler = sampler, .steps = 4, .eta = eta}).rows)
      pattern += row.draws_noise ? 'x' : '.';
    return pattern;
  };
  EXPECT_EQ(draws("ddim"), "....");
  EXPECT_EQ(draws("ddim", 0.5), "xxxx");
  EXPECT_EQ(draws("ddpm"), "xxxx");
  EXPECT_EQ(draws("pndm"), ".....");
  EXPECT_EQ(draws("euler"), "....");
  EXPECT_EQ(draws("euler-a"), "xxxx");
  EXPECT_EQ(draws("heun"), ".......");
  EXPECT_EQ(draws("dpmpp-2m"), "....");
  EXPECT_EQ(draws("dpmpp-2m-sde"), "xxxx");
  EXPECT_EQ(draws("unipc"), "....");
  EXPECT_EQ(draws("lcm"), "xxx.");
}

// The first of PNDM's Runge-Kutta calls, for a config that does not skip them: four calls a step,
// three steps.
TEST(Pndm, StartsWithRungeKuttaUnlessTheFileSkipsIt) {
  Json config = kStableDiffusion;
  config["_class_name"] = "DDIMScheduler";
  config.erase("skip_prk_steps");
  const auto prk = plan(config, {.sampler = "pndm", .steps = 50});
  EXPECT_EQ(prk.rows.size(), 59u);
  auto first = timesteps(prk);
  first.resize(5);
  EXPECT_THAT(first, ElementsAre(981, 971, 971, 961, 961));
  EXPECT_EQ(prk.rows[3].drops, 3);
}

TEST(Trailing, NeverEndsBehindTheFirstTimestep) {
  for (const int steps : {61, 103, 121, 999, 1000}) {
    const auto values = timesteps(plan(kDeci, {.steps = steps}));
    EXPECT_EQ(values.size(), static_cast<size_t>(steps));
    EXPECT_GE(values.back(), 0);
  }
}

}  // namespace
}  // namespace fresco::sampling
