// A run's files: what is written is what is read, an older one serves when the newest is broken, a full disk loses nothing.
#include "fresco/training/run_checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "fresco/core/error.h"
#include "fresco/training/spike_guard.h"

namespace fresco::test {
namespace {

namespace fs = std::filesystem;
using training::NamedVector;
using training::RunCheckpoints;
using training::RunState;

class RunCheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fresco-run-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path write(int64_t step, double value) const {
    const RunState state{.phase = 1, .step = step, .data_offset = 3, .rollbacks = 2, .loss_mean = 0.1, .loss_count = 9};
    return RunCheckpoints(folder_).write(
        {state, {{"seed", 1}}, {{"scaling_factor", 0.3}}, "layout"},
        {{"unet", at::full({7}, value)}, {"double", at::full({2}, value, at::kDouble)}});
  }
  fs::path folder_;
};

TEST_F(RunCheckpointTest, GivesBackWhatWasWritten) {
  EXPECT_FALSE(RunCheckpoints(folder_ / "none").newest());
  write(10, 0.1);
  const auto opened = RunCheckpoints(folder_).newest();
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_json(opened->state), to_json(RunState{1, 10, 3, 2, 0.1, 9}));
  EXPECT_EQ(opened->recipe, Json({{"seed", 1}}));
  EXPECT_EQ(opened->configs.at("scaling_factor"), 0.3);
  const std::vector<NamedVector> vectors{{"unet", at::zeros({7})}, {"double", at::zeros({2}, at::kDouble)}};
  opened->restore(vectors, "layout");
  EXPECT_TRUE(vectors[0].values.equal(at::full({7}, 0.1)));
  EXPECT_TRUE(vectors[1].values.equal(at::full({2}, 0.1, at::kDouble)));
  EXPECT_THROW(opened->restore(vectors, "another"), FormatError);
  EXPECT_THROW(opened->restore({{"unet", at::zeros({8})}}, "layout"), FormatError);
  EXPECT_THROW(opened->restore({{"vae", at::zeros({7})}}, "layout"), FormatError);
}

TEST_F(RunCheckpointTest, TheOneBeforeIsKeptAndServes) {
  for (const int64_t step : {90, 100, 1000}) write(step, static_cast<double>(step));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2);
  EXPECT_EQ(RunCheckpoints(folder_).newest()->state.step, 1000);
  fs::resize_file(write(1000, 1), 100);
  EXPECT_EQ(RunCheckpoints(folder_).newest()->state.step, 100);
  std::ofstream(folder_ / "01-000000100.safetensors") << "no checkpoint";
  EXPECT_THROW(RunCheckpoints(folder_).newest(), FormatError);
}

TEST(SpikeGuard, LetsLearningPassAndStopsWhatIsBroken) {
  RunState state;
  EXPECT_NE(training::judge(state, std::nan(""), 1, 4), "");
  EXPECT_NE(training::judge(state, 1, INFINITY, 4), "");
  EXPECT_EQ(training::judge(state, 100, 1, 4), "") << "early losses are large";
  for (int i = 0; i < 400; ++i) EXPECT_EQ(training::judge(state, 1, 1, 4), "");
  EXPECT_NEAR(state.loss_mean, 1, 0.5);
  const auto before = state.loss_mean;
  EXPECT_NE(training::judge(state, 9, 1, 4), "");
  EXPECT_EQ(state.loss_mean, before) << "what is not taken does not count";
  EXPECT_EQ(training::judge(state, 9, 1, 0), "");
}

}  // namespace
}  // namespace fresco::test
