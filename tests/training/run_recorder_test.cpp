#include "fresco/training/run_recorder.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "fresco/image/read_write.h"
#include "fresco/training/samples.h"
#include "tests/training/watch_helpers.h"

namespace fresco::training {
namespace {

using ::testing::HasSubstr;

class Listener : public TrainObserver {
 public:
  void on_step_done(const StepRecord&) override { ++steps; }
  void on_event(const TrainEvent&) override { ++events; }
  void on_warning(std::string_view text) override { warnings.emplace_back(text); }
  bool cancelled() const override { return stop; }
  int steps = 0, events = 0;
  bool stop = false;
  std::vector<std::string> warnings;
};

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  }
  return files;
}

TEST(RunRecorder, WritesMeansOfSeveralStepsAndPassesEverythingOn) {
  const TemporaryFolder folder;
  Listener listener;
  {
    RunRecorder recorder({folder.path}, std::nullopt, 10, listener);
    recorder.on_run(two_phases());
    recorder.on_phase(0, two_phases().phases[0], 0);
    for (int64_t step = 1; step <= 25; ++step) recorder.on_step_done(step_at(0, step, static_cast<double>(step)));
    listener.stop = true;
    EXPECT_TRUE(recorder.cancelled());
  }
  EXPECT_EQ(listener.steps, 25);
  const auto lines = read_run_log(folder.path / "log.jsonl").phases[0].steps;
  ASSERT_EQ(lines.size(), 3u);  // 1, 10, 20
  EXPECT_EQ(lines[1].steps, 9);
  EXPECT_EQ(lines[1].loss, 6);  // of 2..10
  EXPECT_EQ(lines[2].loss, 15.5);
  EXPECT_EQ(lines[2].gradient_norm, 31);
  EXPECT_EQ(lines[2].images, 40);
  EXPECT_EQ(lines[2].seconds, 5);
  EXPECT_EQ(lines[2].memory_bytes, 1020u);
  EXPECT_EQ(event_files(folder.path).size(), 1u);
}

TEST(RunRecorder, GoesOnInANewEventFile) {
  const TemporaryFolder folder;
  Listener listener;
  for (const std::optional<Place> from : {std::optional<Place>(), std::optional(Place{1, 5})}) {
    RunRecorder recorder({folder.path}, from, 1, listener);
    recorder.on_run(two_phases());
    recorder.on_phase(1, two_phases().phases[1], 5);
    recorder.on_step_done(step_at(1, 6, 0.5));
  }
  EXPECT_EQ(event_files(folder.path).size(), 2u);
  EXPECT_EQ(read_run_log(folder.path / "log.jsonl").phases[1].steps.size(), 1u);
}

TEST(RunRecorder, KeepsGridsOfSamples) {
  const TemporaryFolder folder;
  Listener listener;
  RunRecorder recorder({folder.path}, std::nullopt, 1, listener);
  recorder.on_run(two_phases());
  const image::Picture picture = image::blank_picture(8, 6, 3, "test");
  const std::string path =
      save_samples({folder.path}, {1, 30}, "fine tune", {picture, picture, picture}, {"a", "b", "c"});
  EXPECT_EQ(path, "samples/2-fine-tune-0000030.png");
  EXPECT_EQ(image::read_picture(folder.path / path).width, 2 * 8 + 2);
  EXPECT_EQ(image::read_text(folder.path / path, "prompts"), "a\nb\nc");
  recorder.on_event({.kind = EventKind::samples, .place = {1, 30}, .path = path, .seconds = 1});
  EXPECT_TRUE(listener.warnings.empty());
  EXPECT_THAT(content(event_files(folder.path).at(0)), HasSubstr(content(folder.path / path)));
}

TEST(RunRecorder, NamesFilesByWhatFileSystemsTake) {
  EXPECT_EQ(sample_path({0, 12}, "../a b/\xc3\xa9"), "samples/1-..-a-b-0000012.png");
  EXPECT_EQ(sample_path({0, 12345678}, ""), "samples/1-12345678.png");
}

// A limit on the size of files stands in for a full disk: writing beyond it fails in the same way.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ignored_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*ignored_)(int) = nullptr;
};

TEST(RunRecorder, GoesOnWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  Listener listener;
  RunRecorder recorder({folder.path}, std::nullopt, 1, listener);
  recorder.on_run(two_phases());
  recorder.on_phase(0, two_phases().phases[0], 0);
  recorder.on_step_done(step_at(0, 1, 1));
  const auto log = folder.path / "log.jsonl";
  const std::string before = content(log);
  {
    const FileSizeLimit limit(before.size() + 20);  // not enough for a line: a part of it is written, and taken back
    for (int64_t step = 2; step <= 4; ++step) recorder.on_step_done(step_at(0, step, 1));
  }
  EXPECT_EQ(content(log), before);
  ASSERT_EQ(listener.warnings.size(), 1u);
  EXPECT_THAT(listener.warnings[0], HasSubstr("log.jsonl: cannot write: File too large"));
  recorder.on_step_done(step_at(0, 5, 1));
  EXPECT_EQ(read_run_log(log).phases[0].steps.size(), 2u);
  EXPECT_EQ(read_run_log(log).unreadable, 0);
  EXPECT_EQ(listener.steps, 5);
}

}  // namespace
}  // namespace fresco::training
