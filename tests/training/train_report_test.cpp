#include "fresco/training/train_report.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <regex>

#include "fresco/core/error.h"
#include "fresco/image/picture.h"
#include "fresco/training/run_recorder.h"
#include "fresco/training/samples.h"
#include "tests/training/watch_helpers.h"

namespace fresco::training {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Silent : public TrainObserver {};

// Two phases with everything that can happen.
void write_run(const std::filesystem::path& folder, RunFacts facts = two_phases()) {
  Silent nobody;
  RunRecorder recorder({folder}, std::nullopt, 1, nobody);
  recorder.on_run(facts);
  const auto steps = [&](int phase, int64_t first, int64_t last, double loss) {
    for (int64_t step = first; step <= last; ++step)
      recorder.on_step_done(step_at(phase, step, loss + 1.0 / static_cast<double>(step)));
  };
  steps(0, 1, 60, 0.5);
  recorder.on_event(
      {.kind = EventKind::rollback, .place = {0, 60}, .text = "loss is <NaN>", .target = {0, 40}, .count = 1});
  steps(0, 41, 100, 0.5);
  recorder.on_event({.kind = EventKind::skipped, .place = {0, 90}, .text = "bad<b>.jpg: truncated", .count = 3});
  recorder.on_event({.kind = EventKind::checkpoint, .place = {0, 100}, .path = "checkpoints/x", .seconds = 2});
  for (const int64_t step : {20, 40}) {
    steps(1, step - 19, step, 0.2);
    recorder.on_event({.kind = EventKind::validation,
                       .place = {1, step},
                       .value = 0.25,
                       .bands = {{0, 499, 0.1}, {500, 999, 0.4}},
                       .seconds = 1});
    const image::Picture picture = image::blank_picture(16, 16, 3, "test");
    recorder.on_event(
        {.kind = EventKind::samples,
         .place = {1, step},
         .path = save_samples({folder}, {1, step}, "fine tune", {picture, picture}, {"a <red> ring", "b"})});
  }
  recorder.on_event({.kind = EventKind::finished, .place = {2, 0}, .path = "model"});
}

std::string page_of(const std::filesystem::path& folder) {
  write_train_report({folder});
  return content(folder / "report.html");
}

void expect_sound(const std::string& page) {
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* broken :
       {"<script", "<link", "url(", "@import", "nan%", "nan,", "inf%", "inf,", ">nan", ">inf", " nan"})
    EXPECT_THAT(page, Not(HasSubstr(broken)));
  const std::regex source("src=\"([^\"]{0,10})");
  for (std::sregex_iterator each(page.begin(), page.end(), source), end; each != end; ++each)
    EXPECT_EQ((*each)[1].str(), "data:image");
}

TEST(TrainReport, TellsARunFromItsFolder) {
  const TemporaryFolder folder;
  write_run(folder.path);
  const std::string page = page_of(folder.path);
  expect_sound(page);
  // 140 steps of 4 pictures and half a second that counted; 20 were undone.
  for (const char* words :
       {"560 pictures seen in 1 min 10 s", "finished", "1 rollback.", "3 samples could not be read.",
        "Loss of phase 1, first", "Loss of phase 2, fine tune", "Validation by timestep", "0 to 499",
        "loss is &lt;NaN&gt;: back to first, step 40", "bad&lt;b&gt;.jpg", "a &lt;red&gt; ring",
        "after fine tune, step 20", "Work done again</dt><dd>10 s", "undone by a rollback",
        "1 checkpoints were written", "name: small"})
    EXPECT_THAT(page, HasSubstr(words));
  EXPECT_THAT(page, Not(HasSubstr("<NaN>")));
}

TEST(TrainReport, ComesByItselfWhenARunEnds) {
  const TemporaryFolder folder;
  write_run(folder.path);
  EXPECT_EQ(content(folder.path / "report.html"), page_of(folder.path));
}

TEST(TrainReport, TellsOfPicturesThatCouldNotBeDrawn) {
  const TemporaryFolder folder;
  Silent nobody;
  RunRecorder recorder({folder.path}, std::nullopt, 1, nobody);
  recorder.on_run(two_phases());
  recorder.on_event({.kind = EventKind::samples, .place = {0, 5}, .text = "no memory"});
  EXPECT_THAT(page_of(folder.path), HasSubstr("no pictures: no memory"));
}

TEST(TrainReport, TakesRunsThatHaveHardlyBegun) {
  const TemporaryFolder folder;
  Silent nobody;
  RunRecorder recorder({folder.path}, std::nullopt, 1, nobody);
  recorder.on_run(two_phases());
  EXPECT_THAT(page_of(folder.path), HasSubstr("under way, at first, step 0"));
  recorder.on_step_done(step_at(0, 1, std::numeric_limits<double>::quiet_NaN()));
  expect_sound(page_of(folder.path));
  recorder.on_step_done(step_at(0, 2, 1));
  expect_sound(page_of(folder.path));
}

TEST(TrainReport, TakesLogsWithNumbersThatCannotBe) {
  const TemporaryFolder folder;
  write_run(folder.path);
  const std::string step =
      R"({"kind":"step","time":"","phase":PHASE,"step":STEP,"steps":1,"loss":LOSS,"gradient_norm":1,)"
      R"("learning_rate":0.1,"images":4,"seconds":SECONDS,"wait_seconds":0,"memory_bytes":1})";
  const auto line = [&](const char* phase, const char* number, const char* loss, const char* seconds) {
    std::string text = step;
    for (const auto& [word, value] :
         {std::pair{"PHASE", phase}, {"STEP", number}, {"LOSS", loss}, {"SECONDS", seconds}})
      text = std::regex_replace(text, std::regex(word), value);
    std::ofstream(folder.path / "log.jsonl", std::ios::app) << text << "\n";
  };
  line("1", "-5", "1", "1");
  line("1", "1e300", "1", "1");
  line("99999999999", "5", "1", "1");
  line("1", "50", "1", "1e300");
  line("1", "50", "1", "-1");
  EXPECT_EQ(read_run_log(folder.path / "log.jsonl").unreadable, 5);
  line("1", "41", "1e300", "0");
  line("1", "42", "-1e300", "0");
  EXPECT_EQ(read_run_log(folder.path / "log.jsonl").unreadable, 5);
  const std::string page = page_of(folder.path);
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("5 lines of the log cannot be read"));
}

TEST(TrainReport, ShowsNoFilesFromOutsideTheFolder) {
  const TemporaryFolder folder;
  const auto run = folder.path / "run";
  std::filesystem::create_directory(run);
  write_run(run);
  std::filesystem::copy_file(run / "samples/2-fine-tune-0000020.png", folder.path / "secret.png");
  std::ofstream(run / "log.jsonl", std::ios::app)
      << R"({"kind":"samples","time":"","phase":1,"step":41,"path":"../secret.png"})"
      << "\n"
      << R"({"kind":"samples","time":"","phase":1,"step":42,"path":"/etc/hostname"})"
      << "\n"
      << R"({"kind":"samples","time":"","phase":1,"step":43,"path":"samples/gone.png"})"
      << "\n";
  const std::string page = page_of(run);
  EXPECT_THAT(page, HasSubstr("after fine tune, step 40"));
  EXPECT_THAT(page, Not(HasSubstr("after fine tune, step 41")));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
}

TEST(TrainReport, NamesAreText) {
  const TemporaryFolder folder;
  RunFacts facts = two_phases();
  facts.name = "<i>name</i>";
  facts.recipe = "<script>alert(1)</script>";
  facts.phases[0].name = "<u>\"first\"";
  write_run(folder.path, facts);
  const std::string page = page_of(folder.path);
  expect_sound(page);
  EXPECT_THAT(page, Not(HasSubstr("<i>name")));
  EXPECT_THAT(page, Not(HasSubstr("<u>")));
}

TEST(TrainReport, RefusesFoldersOfNoRun) {
  const TemporaryFolder folder;
  EXPECT_THROW(write_train_report({folder.path}), InputError);
  EXPECT_FALSE(std::filesystem::exists(folder.path / "report.html"));
}

}  // namespace
}  // namespace fresco::training
