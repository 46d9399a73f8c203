#include "apps/cli/train_reporter.h"

#include <gmock/gmock.h>

#include <limits>

#include "apps/cli/train_texts.h"

namespace fresco::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using training::EventKind;

training::RunFacts two_phases() {
  return {.name = "small",
          .recipe = "name: small\n",
          .seed = 7,
          .device = "cpu",
          .threads = 2,
          .flops = 1e11,
          .phases = {{.name = "first", .steps = 1200, .batch = 16, .resolution = 64},
                     {.name = "fine\ntune", .steps = 40, .batch = 1, .resolution = 128}}};
}

training::StepRecord step_at(int64_t step, double loss, double seconds) {
  return {.place = {0, step}, .loss = loss, .images = 16, .seconds = seconds, .flops = 2e10};
}

TEST(TrainPace, LeavesTheFirstStepOut) {
  TrainPace pace;
  pace.add(step_at(1, 1, 10));
  EXPECT_DOUBLE_EQ(pace.seconds_per_step(), 10);
  pace.add(step_at(2, 1, 0.5));
  pace.add(step_at(3, 1, 0.3));
  EXPECT_DOUBLE_EQ(pace.seconds_per_step(), 0.4);
  EXPECT_DOUBLE_EQ(pace.images_per_second(), 40);
  EXPECT_DOUBLE_EQ(pace.flops_per_second(), 5e10);
}

TEST(TrainPace, SmoothsTheLossAndSurvivesNaN) {
  TrainPace pace;
  EXPECT_EQ(pace.loss(), 0);
  pace.add(step_at(1, 2, 1));
  EXPECT_DOUBLE_EQ(pace.loss(), 2);
  pace.add(step_at(2, std::numeric_limits<double>::quiet_NaN(), 1));
  for (int64_t step = 3; step < 1000; ++step) pace.add(step_at(step, 1, 1));
  EXPECT_NEAR(pace.loss(), 1, 1e-6);
}

TEST(TrainTexts, SayHowFarAStepIs) {
  TrainPace pace;
  pace.add(step_at(200, 0.4123, 0.5));
  EXPECT_THAT(step_texts({0, 200}, 1200, pace, 1e11),
              ElementsAre("200/1,200", "loss 0.412", "8 min 20 s left", "32.0 images/s", "40 % of the machine"));
  EXPECT_THAT(step_texts({0, 1200}, 1200, pace, 0), ElementsAre("1,200/1,200", "loss 0.412", "32.0 images/s"));
}

TEST(TrainTexts, SayWhatRuns) {
  training::RunFacts run = two_phases();
  EXPECT_EQ(run_text(run), "small: 2 phases, seed 7, on the CPU with 2 threads");
  EXPECT_EQ(phase_text(0, run, run.phases[0], 0), "phase 1 of 2, first: 1,200 steps of 16 pictures, 64 pixels");
  run.phases[1].samples = 5000;
  run.phases[1].parameters = 5'900'000;
  EXPECT_EQ(
      phase_text(1, run, run.phases[1], 12),
      "phase 2 of 2, fine\\x0atune: 40 steps of 1 picture, 128 pixels, from 5,000 samples, 5.90 M parameters trained; "
      "going on after step 12");
}

TEST(TrainTexts, SayWhatHappened) {
  const auto run = two_phases();
  const auto text = [&](const training::TrainEvent& event) { return event_text(event, run); };
  EXPECT_EQ(text({.kind = EventKind::checkpoint, .place = {0, 1000}, .path = "checkpoints/x", .seconds = 0.25}),
            "first, step 1,000: checkpoint (250 ms)");
  EXPECT_EQ(text({.kind = EventKind::paused, .place = {0, 1000}, .text = "No space left on device"}),
            "first, step 1,000: no checkpoint, the one before it is kept: No space left on device");
  EXPECT_EQ(text({.kind = EventKind::rollback, .place = {0, 9}, .text = "loss is NaN", .target = {0, 5}, .count = 1}),
            "first, step 9: loss is NaN; back to first, step 5 (1 rollback so far)");
  EXPECT_EQ(text({.kind = EventKind::validation, .place = {1, 9}, .value = 0.5}),
            "fine\\x0atune, step 9: validation loss 0.500");
  EXPECT_EQ(text({.kind = EventKind::stopped, .place = {0, 9}}), "stopped after first, step 9");
}

TEST(TrainTexts, NameTheFirstSamplesThatCannotBeReadAndThenCount) {
  const auto text = [](int64_t count) {
    return event_text({.kind = EventKind::skipped, .text = "a.jpg: \x1b[2J", .count = count}, two_phases());
  };
  EXPECT_EQ(text(1), "skipped a.jpg: \\x1b[2J (1 sample so far)");
  EXPECT_THAT(text(10), HasSubstr("10 samples so far; from here on every hundredth is told"));
  EXPECT_EQ(text(11), "");
  EXPECT_NE(text(1200), "");
}

void run_through(training::TrainObserver& reporter) {
  const auto run = two_phases();
  reporter.on_run(run);
  reporter.on_phase(0, run.phases[0], 0);
  reporter.on_step_done(step_at(1, 0.5, 0.5));
  reporter.on_step_done(step_at(1200, 0.25, 0.5));
  reporter.on_event({.kind = EventKind::skipped, .place = {0, 3}, .text = "a.jpg: bad \xff", .count = 1});
  reporter.on_event({.kind = EventKind::finished, .place = {1, 40}, .path = "model"});
}

TEST(TrainReporter, WritesLinesForPrograms) {
  ::testing::internal::CaptureStdout();
  run_through(*make_train_reporter(ReportStyle::json));
  std::istringstream lines(::testing::internal::GetCapturedStdout());
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    events.push_back(json.at("event"));
    if (events.back() == "step") {
      EXPECT_EQ(json.at("step"), 1200);
      EXPECT_EQ(json.at("seconds_left"), 0.0);
      EXPECT_EQ(json.at("images_per_second"), 32.0);
    }
  }
  // The first step comes within a second of the start.
  EXPECT_THAT(events, ElementsAre("run", "phase", "step", "skipped", "finished"));
}

TEST(TrainReporter, KeepsQuietExceptForTrouble) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  run_through(*make_train_reporter(ReportStyle::quiet));
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("warning: skipped a.jpg: bad"));
}

}  // namespace
}  // namespace fresco::cli
