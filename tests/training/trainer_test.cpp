// Whole runs on shapes of 64 pixels: from nothing to a folder that draws; stopped anywhere, they end with the same bits.
#include "fresco/training/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/pipeline/model.h"
#include "fresco/training/read_recipe.h"

namespace fresco::test {
namespace {

namespace fs = std::filesystem;
using training::EventKind;
using training::TrainEvent;

const fs::path kStarter = fs::path(FRESCO_SOURCE_DIR) / "models/starter-128";

// Remembers what it is told; asks to stop after so many steps.
class Watcher : public training::TrainObserver {
 public:
  void on_step_done(const training::StepRecord& step) override { steps.push_back(step); }
  void on_event(const TrainEvent& event) override { events.push_back(event); }
  void on_warning(std::string_view text) override { warnings.emplace_back(text); }
  bool cancelled() const override { return stop_after >= 0 && std::ssize(steps) >= stop_after; }
  std::vector<TrainEvent> of(EventKind kind) const {
    std::vector<TrainEvent> found;
    for (const auto& event : events)
      if (event.kind == kind) found.push_back(event);
    return found;
  }
  int64_t stop_after = -1;
  std::vector<training::StepRecord> steps;
  std::vector<TrainEvent> events;
  std::vector<std::string> warnings;
};

constexpr const char* kDiffusion = R"(
name: test
seed: 5
model: MODEL
from_nothing: false
phases:
  - name: shapes
    data: {path: shapes, count: 40, seed: 3}
    fit: {resolution: 64}
    steps: 12
    batch: 4
    micro_batch: 2
    train: both
    optimizer: {learning_rate: 0.001, text_learning_rate: 0.0005}
    schedule: {kind: cosine, warmup: 2}
    ema: {decay: 0.9, start: 3}
    noise: {betas: cosine, zero_terminal_snr: true}
    loss: {late_share: 0.4}
watch: {log_every: 1, checkpoint_every: 5, sample_every: 0, validate_every: 6, validation_samples: 4}
)";

class Trainer : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "fresco-train-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  training::TrainRequest request(std::string recipe, const std::string& run) const {
    recipe.replace(recipe.find("MODEL"), 5, kStarter.string());
    return {.recipe = training::parse_recipe(recipe, folder_ / "recipe.yaml"),
            .recipe_text = recipe,
            .folder = folder_ / run};
  }
  // The weights of a run that has ended.
  std::string weights(const std::string& run) const {
    return read_file(folder_ / run / "model/flexible_unet/diffusion_pytorch_model.safetensors", 1 << 30) +
           read_file(folder_ / run / "model/text_encoder/model.safetensors", 1 << 30);
  }
  static std::string with(std::string text, const std::string& old, const std::string& now) {
    text.replace(text.find(old), old.size(), now);
    return text;
  }

  fs::path folder_;
};

TEST_F(Trainer, EndsWithTheSameBitsWhereverItIsStopped) {
  Watcher whole;
  train(request(kDiffusion, "whole"), whole);
  ASSERT_EQ(whole.steps.size(), 12u);
  EXPECT_EQ(whole.of(EventKind::checkpoint).size(), 4u);  // at 0, 5, 10, and the end
  EXPECT_EQ(whole.of(EventKind::validation).size(), 2u);
  const auto request_stopped = request(kDiffusion, "stopped");
  std::vector<double> losses;
  for (const int64_t after : {3, 4, -1}) {
    Watcher part;
    part.stop_after = after;
    if (after < 0) {
      train(request_stopped, part);
    } else {
      EXPECT_THROW(train(request_stopped, part), Interrupted);
    }
    for (const auto& step : part.steps) losses.push_back(step.loss);
  }
  ASSERT_EQ(losses.size(), 12u);
  for (size_t i = 0; i < losses.size(); ++i) EXPECT_EQ(losses[i], whole.steps[i].loss) << i;
  EXPECT_EQ(weights("stopped"), weights("whole"));
}

TEST_F(Trainer, GoesOnFromTheCheckpointBeforeWhenTheNewestIsBroken) {
  Watcher whole, first, second;
  train(request(kDiffusion, "whole"), whole);
  first.stop_after = 11;
  EXPECT_THROW(train(request(kDiffusion, "broken"), first), Interrupted);
  fs::resize_file(folder_ / "broken/checkpoints/00-000000011.safetensors", 1000);  // as by a crash of the system
  train(request(kDiffusion, "broken"), second);
  EXPECT_EQ(second.steps.front().place.step, 11) << "from the one after 10 steps";
  EXPECT_EQ(weights("broken"), weights("whole"));
}

TEST_F(Trainer, MicroBatchesDoNotChangeWhatIsLearnt) {
  Watcher two, four;
  train(request(kDiffusion, "two"), two);
  train(request(with(kDiffusion, "micro_batch: 2", "micro_batch: 4"), "four"), four);
  for (size_t i = 0; i < two.steps.size(); ++i)  // sums of float32 in another order, grown by a dozen steps of Adam
    EXPECT_NEAR(two.steps[i].loss, four.steps[i].loss, 1e-3 * four.steps[i].loss) << i;
}

TEST_F(Trainer, CheckpointsCellsWithTheSameResult) {
  Watcher kept, again;
  train(request(kDiffusion, "kept"), kept);
  train(request(with(kDiffusion, "train: both", "train: both\n    gradient_checkpointing: true"), "again"), again);
  for (size_t i = 0; i < kept.steps.size(); ++i)
    EXPECT_NEAR(kept.steps[i].loss, again.steps[i].loss, 1e-3 * kept.steps[i].loss) << i;
}

TEST_F(Trainer, MakesAModelFromNothing) {
  constexpr const char* kAll = R"(
name: all
model: MODEL
phases:
  - {name: vae, kind: autoencoder, data: {path: shapes, count: 24}, fit: {resolution: 64}, steps: 6, batch: 4, autoencoder: {crop: 32}}
  - {name: words, kind: attributes, data: {path: shapes, count: 64}, steps: 40, batch: 16, optimizer: {learning_rate: 0.003}}
  - {name: draw, data: {path: shapes, count: 24}, fit: {resolution: 64}, steps: 60, batch: 4, train: both,
     optimizer: {learning_rate: 0.001}, noise: {betas: cosine, zero_terminal_snr: true}}
watch: {sample_every: 40, sample_steps: 2, validate_every: 0, prompts: ["a red circle", "a blue square"]}
)";
  Watcher watcher;
  train(request(kAll, "run"), watcher);
  const auto mean_loss = [&](int phase, int64_t from, int64_t to) {
    double sum = 0;
    for (const auto& step : watcher.steps)
      if (step.place.phase == phase && step.place.step > from && step.place.step <= to) sum += step.loss;
    return sum / static_cast<double>(to - from);
  };
  EXPECT_LT(mean_loss(0, 3, 6), mean_loss(0, 0, 3));
  EXPECT_LT(mean_loss(1, 30, 40), 0.9 * mean_loss(1, 0, 5));
  EXPECT_LT(mean_loss(2, 40, 60), 0.9 * mean_loss(2, 0, 5));
  EXPECT_EQ(watcher.of(EventKind::samples).size(), 2u);  // at 40 and at the end
  for (const auto& event : watcher.of(EventKind::samples))
    EXPECT_TRUE(fs::exists(folder_ / "run" / event.path)) << event.text;
  const auto model = pipeline::Model::load({.files = {.model = (folder_ / "run/model").string()}});
  for (const float value : model.draw({.prompts = {"a red circle"}, .steps = 2, .seed = 1}).image.data)
    ASSERT_TRUE(std::isfinite(value));
}

TEST_F(Trainer, LossesThatExplodeRollBackAndThenStop) {
  Watcher watcher;
  const auto wild = with(kDiffusion, "learning_rate: 0.001", "learning_rate: 10");
  EXPECT_THROW(
      {
        try {
          train(request(with(wild, "validate_every: 6", "validate_every: 0, most_rollbacks: 2"), "wild"), watcher);
        } catch (const ResourceError& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("2 rollbacks did not help"));
          throw;
        }
      },
      ResourceError);
  EXPECT_EQ(watcher.of(EventKind::rollback).size(), 2u);
}

TEST_F(Trainer, RefusesBeforeItTrains) {
  Watcher watcher;
  watcher.stop_after = 2;
  EXPECT_THROW(train(request(kDiffusion, "run"), watcher), Interrupted);
  try {
    Watcher again;
    train(request(with(kDiffusion, "learning_rate: 0.001", "learning_rate: 0.002"), "run"), again);
    FAIL() << "a changed recipe went through";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("phases[0].optimizer.learning_rate: 0.001 -> 0.002"));
  }
  Watcher last, ended;
  train(request(with(kDiffusion, "checkpoint_every: 5", "checkpoint_every: 4"), "run"), last);
  EXPECT_THROW(train(request(kDiffusion, "run"), ended), InputError) << "it has ended";
}

}  // namespace
}  // namespace fresco::test
