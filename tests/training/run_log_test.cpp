#include "fresco/training/run_log.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "fresco/core/error.h"
#include "tests/training/watch_helpers.h"

namespace fresco::training {
namespace {

using ::testing::HasSubstr;

LoggedSteps ten_steps(int phase, int64_t last, double loss) {
  return {.place = {phase, last},
          .steps = 10,
          .loss = loss,
          .gradient_norm = 1.5,
          .learning_rate = 1e-4,
          .decay = 0.99,
          .images = 40,
          .seconds = 5,
          .wait_seconds = 0.1,
          .flops = 2e11,
          .memory_bytes = 1 << 20};
}

// A run of 30 steps with a checkpoint at step 20.
void write_run(const std::filesystem::path& file) {
  RunLog log(file, std::nullopt);
  log.add(two_phases());
  log.add(0, two_phases().phases[0], 0);
  log.add(ten_steps(0, 10, 0.9), 1e11);
  log.add(ten_steps(0, 20, 0.8), 1e11);
  log.add(TrainEvent{.kind = EventKind::checkpoint, .place = {0, 20}, .path = "checkpoints/0-20", .seconds = 0.25});
  log.add(ten_steps(0, 30, 0.7), 1e11);
  log.add(TrainEvent{.kind = EventKind::skipped, .place = {0, 30}, .text = "a/b.jpg: truncated", .count = 1});
}

std::vector<int64_t> steps_of(const std::vector<LoggedSteps>& lines) {
  std::vector<int64_t> steps;
  for (const LoggedSteps& each : lines) steps.push_back(each.place.step);
  return steps;
}

TEST(RunLog, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  const RunHistory history = read_run_log(file);
  ASSERT_EQ(history.sessions.size(), 1u);
  EXPECT_EQ(history.sessions[0].facts.recipe, "name: small\n");
  EXPECT_EQ(history.sessions[0].facts.phases[1].name, "fine tune");
  EXPECT_GE(history.sessions[0].machine.processors, 1);
  EXPECT_FALSE(history.sessions[0].from);
  ASSERT_EQ(history.phases.size(), 2u);
  EXPECT_TRUE(history.phases[0].begun);
  EXPECT_FALSE(history.phases[1].begun);
  const LoggedSteps& line = history.phases[0].steps.at(1);
  EXPECT_EQ(line.place, (Place{0, 20}));
  EXPECT_EQ(line.loss, 0.8);
  EXPECT_EQ(line.decay, 0.99);
  EXPECT_EQ(line.images_per_second(), 8);
  EXPECT_EQ(line.flops_per_second(), 4e10);
  ASSERT_EQ(history.events.size(), 2u);
  EXPECT_EQ(history.events[0].event.path, "checkpoints/0-20");
  EXPECT_EQ(history.events[1].event.text, "a/b.jpg: truncated");
  EXPECT_EQ(history.unreadable, 0);
  EXPECT_THAT(content(file), HasSubstr("\"share\":0.4"));
}

TEST(RunLog, DropsWhatLiesBeyondTheCheckpoint) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  {
    RunLog log(file, Place{0, 20});
    log.add(two_phases());
    log.add(0, two_phases().phases[0], 20);
    log.add(ten_steps(0, 30, 0.6), 0);
  }
  const RunHistory history = read_run_log(file);
  EXPECT_EQ(steps_of(history.phases[0].steps), (std::vector<int64_t>{10, 20, 30}));
  EXPECT_EQ(history.phases[0].steps[2].loss, 0.6);
  ASSERT_EQ(history.events.size(), 1u);
  EXPECT_EQ(history.events[0].event.kind, EventKind::checkpoint);
  ASSERT_EQ(history.sessions.size(), 2u);
  EXPECT_EQ(history.sessions[1].from, (Place{0, 20}));
  EXPECT_EQ(history.sessions[1].lost_seconds, 5);  // of the line of step 30
}

TEST(RunLog, MendsALineThatAKilledProgramLeft) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  for (const char* torn : {"{\"kind\":\"step\",\"pha", "{\"kind\":\"step\",\"phase\":0,\"step\":5}", "\xff\0\0"}) {
    write_run(file);
    std::ofstream(file, std::ios::app) << torn;
    RunLog(file, Place{0, 100}).add(ten_steps(0, 40, 0.5), 0);
    const RunHistory history = read_run_log(file);
    EXPECT_EQ(history.unreadable, 0) << torn;
    EXPECT_EQ(steps_of(history.phases[0].steps), (std::vector<int64_t>{10, 20, 30, 40})) << torn;
  }
}

TEST(RunLog, BeginsAnewWithoutACheckpoint) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  RunLog(file, std::nullopt).add(two_phases());
  EXPECT_TRUE(read_run_log(file).events.empty());
}

TEST(RunLog, SetsApartWhatARollbackUndid) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  const TrainEvent back{
      .kind = EventKind::rollback, .place = {0, 33}, .text = "loss is NaN", .target = {0, 20}, .count = 1};
  {
    RunLog log(file, Place{0, 30});
    log.add(back);
    log.add(ten_steps(0, 30, 0.65), 0);
  }
  const RunHistory history = read_run_log(file);
  EXPECT_EQ(steps_of(history.phases[0].steps), (std::vector<int64_t>{10, 20, 30}));
  EXPECT_EQ(history.phases[0].steps[2].loss, 0.65);
  EXPECT_EQ(steps_of(history.phases[0].discarded), (std::vector<int64_t>{30}));
  // Going on from its target still knows of it.
  RunLog(file, Place{0, 20}).add(ten_steps(0, 30, 0.6), 0);
  EXPECT_EQ(read_run_log(file).events.back().event.kind, EventKind::rollback);
}

TEST(RunLog, KeepsNumbersThatJsonLacks) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  RunLog(file, Place{0, 100}).add(ten_steps(0, 40, std::numeric_limits<double>::quiet_NaN()), 0);
  EXPECT_TRUE(std::isnan(read_run_log(file).phases[0].steps.back().loss));
}

TEST(RunLog, PassesOverWhatItDoesNotKnow) {
  const TemporaryFolder folder;
  const auto file = folder.path / "log.jsonl";
  write_run(file);
  std::ofstream(file, std::ios::app) << "{\"kind\":\"weather\",\"phase\":0,\"step\":5,\"time\":\"\"}\n"
                                     << "{\"kind\":\"step\",\"phase\":7,\"step\":5}\n"
                                     << "{\"kind\":\"phase\",\"phase\":-1}\n[1,2]\nnonsense\n";
  EXPECT_EQ(read_run_log(file).unreadable, 4);
}

TEST(RunLog, RefusesOtherFiles) {
  const TemporaryFolder folder;
  EXPECT_THROW(read_run_log(folder.path / "none"), InputError);
  std::ofstream(folder.path / "other") << "{\"a\":1}\nb\n";
  EXPECT_THROW(read_run_log(folder.path / "other"), FormatError);
  EXPECT_THROW(RunLog("/no/such/folder/log.jsonl", std::nullopt), InputError);
}

}  // namespace
}  // namespace fresco::training
