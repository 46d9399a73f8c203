// TensorBoard's own reader takes the files. It comes as a Python package: `.deps/peers/bin/python -m pip install tensorboard`.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <memory>

#include "fresco/image/picture.h"
#include "fresco/training/run_recorder.h"
#include "fresco/training/samples.h"
#include "tests/training/watch_helpers.h"

namespace fresco::training {
namespace {

const std::string kPython = std::string(FRESCO_SOURCE_DIR) + "/.deps/peers/bin/python";

constexpr const char* kReader = R"py(
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0})
events.Reload()
for tag in sorted(events.Tags()["scalars"]):
    print(tag, *(f"{e.step}:{e.value:g}" for e in events.Scalars(tag)))
for image in events.Images("samples"):
    print("samples", image.step, image.width, image.height, image.encoded_image_string[:4] == b"\x89PNG")
)py";

struct Ran {
  std::string text;
  int status = 0;
};
Ran run_python(const std::filesystem::path& script, const std::string& argument) {
  const std::string command = "'" + kPython + "' '" + script.string() + "' '" + argument + "' 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  Ran ran;
  std::array<char, 4096> block;
  while (const size_t got = std::fread(block.data(), 1, block.size(), pipe)) ran.text.append(block.data(), got);
  ran.status = ::pclose(pipe);
  return ran;
}

class Silent : public TrainObserver {};

// Steps 1..4 of a phase of 100 after one of 100: whole steps 101..104. The last two are undone by a rollback, then the program is
// killed and goes on from step 2.
void write_runs(const std::filesystem::path& folder) {
  Silent nobody;
  const auto losses = [&](RunRecorder& recorder, int64_t first, double loss) {
    for (int64_t step = first; step < first + 2; ++step) recorder.on_step_done(step_at(1, step, loss));
  };
  const image::Picture picture = image::blank_picture(8, 6, 3, "test");
  {
    RunRecorder recorder({folder}, std::nullopt, 1, nobody);
    recorder.on_run(two_phases());
    losses(recorder, 1, 1);
    recorder.on_event({.kind = EventKind::samples,
                       .place = {1, 2},
                       .path = save_samples({folder}, {1, 2}, "fine tune", {picture}, {"a"})});
    losses(recorder, 3, 5);
    recorder.on_event({.kind = EventKind::rollback, .place = {1, 4}, .target = {1, 2}, .count = 1});
    losses(recorder, 3, 0.5);
    recorder.on_event({.kind = EventKind::validation, .place = {1, 4}, .value = 0.75, .bands = {{0, 99, 0.25}}});
  }
  RunRecorder recorder({folder}, Place{1, 2}, 1, nobody);
  recorder.on_run(two_phases());
  losses(recorder, 3, 0.25);
}

TEST(TensorBoard, ReadsARunThatWasRolledBackAndWentOn) {
  const TemporaryFolder folder;
  const auto script = folder.path / "read.py";
  std::ofstream(script) << "import tensorboard\n";
  if (!std::filesystem::exists(kPython)) GTEST_SKIP() << kPython << " is not there: benchmarks/peers/setup.sh makes it";
  if (run_python(script, "").status != 0) GTEST_SKIP() << "Python's package tensorboard is not installed";
  std::ofstream(script, std::ios::trunc) << kReader;
  const auto run = folder.path / "run";
  std::filesystem::create_directory(run);
  write_runs(run);
  const Ran ran = run_python(script, run.string());
  EXPECT_EQ(ran.status, 0) << ran.text;
  using ::testing::HasSubstr;
  EXPECT_THAT(ran.text, HasSubstr("\ntrain/loss 101:1 102:1 103:0.25 104:0.25\n"));
  EXPECT_THAT(ran.text, HasSubstr("\nspeed/images_per_second 101:8 102:8"));
  EXPECT_THAT(ran.text, HasSubstr("\nsamples 102 8 6 True\n"));
  EXPECT_THAT(ran.text, ::testing::Not(HasSubstr("validation/loss 1")));  // purged with step 104 of the first start
}

}  // namespace
}  // namespace fresco::training
