// The shipped model, measured in this process; and what travels between two processes.
#include "fresco/evaluation/measure.h"

#include <gtest/gtest.h>

#include <numeric>

#include "fresco/core/error.h"
#include "fresco/evaluation/wire.h"
#include "tests/evaluation/samples.h"

namespace fresco::evaluation {
namespace {

MeasureJob starter_job() {
  MeasureJob job;
  job.load.files.model = FRESCO_SOURCE_DIR "/models/starter-128";
  job.load.threads = 1;
  job.request.steps = 2;
  job.request.batch = 1;
  job.prompts = {"a red ring", "a blue star"};
  job.seeds = {3, 4};
  job.repeat = 2;
  return job;
}

struct Counter : Observer {
  int steps = 0, last = 0, of = 0, warm_ups = 0;
  int stop_after = 1000;
  void on_step(const Step& step) override {
    ++steps;
    last = step.index;
    of = step.of;
  }
  void on_stage(std::string_view name, double) override { warm_ups += name == "warm up"; }
  bool cancelled() const override { return steps >= stop_after; }
};

TEST(Measure, TimesEveryPictureAndKeepsItOnce) {
  Counter counter;
  const MeasureJob job = starter_job();
  const Measurement m = measure(job, counter);
  ASSERT_EQ(m.runs.size(), 4u);
  ASSERT_EQ(m.pictures.size(), 2u);
  EXPECT_EQ(m.pictures[0].width, 128);
  for (const RunTimes& run : m.runs) {
    EXPECT_EQ(run.steps.size(), 2u);
    EXPECT_GT(run.text, 0);
    EXPECT_GT(run.decode, 0);
    EXPECT_GE(run.denoise, std::accumulate(run.steps.begin(), run.steps.end(), 0.0));
    EXPECT_GE(run.seconds, run.text + run.denoise + run.decode);
  }
  EXPECT_EQ(m.runs[3].picture, 1u);
  EXPECT_EQ(m.model_calls(), 2);
  EXPECT_TRUE(m.guided());
  EXPECT_GT(m.load_seconds, 0);
  EXPECT_GT(m.warm_up_seconds, 0);
  EXPECT_GE(m.peak_memory, m.loaded_memory);
  EXPECT_EQ(m.hash.size(), 64u);
  EXPECT_EQ(m.networks.size(), 3u);
  EXPECT_GT(m.unet_call.total(), 100'000'000);
  EXPECT_FALSE(m.settings.contains("prompts"));
}

TEST(Measure, CountsStepsOverTheWholeJobButNotTheWarmUp) {
  Counter counter;
  measure(starter_job(), counter);
  EXPECT_EQ(counter.steps, 8);
  EXPECT_EQ(counter.last, 8);
  EXPECT_EQ(counter.of, 8);
  EXPECT_EQ(counter.warm_ups, 1);
}

TEST(Measure, DrawsThePictureThatDrawingAloneGives) {
  const MeasureJob job = starter_job();
  const Measurement m = measure(job, no_observer());
  pipeline::DrawRequest request = job.request;
  request.prompts = {job.prompts[1]};
  request.seed = job.seeds[1];
  EXPECT_EQ(pipeline::Model::load(job.load).draw(request).pictures[0].picture, m.pictures[1]);
}

TEST(Measure, StopsWhenAsked) {
  Counter counter;
  counter.stop_after = 3;
  EXPECT_THROW(measure(starter_job(), counter), Interrupted);
  EXPECT_EQ(counter.steps, 3);
}

TEST(Wire, CarriesAJob) {
  MeasureJob job = starter_job();
  job.request.negative = "\"grey\", \xe6\x98\x9f";
  job.request.guidance = 4.25;
  job.request.sampler = "euler";
  job.request.width = 192;
  job.load.precision = Precision::bf16;
  job.load.memory = Memory::lean;
  job.load.ops = "reference";
  job.seeds[1] = uint64_t{1} << 63;
  const MeasureJob back = job_from_json(Json::parse(to_json(job).dump()));
  EXPECT_EQ(to_json(back), to_json(job));
  EXPECT_EQ(back.request.guidance, 4.25);
  EXPECT_EQ(back.request.width, 192);
  EXPECT_FALSE(back.request.height);
  EXPECT_EQ(back.seeds, job.seeds);
  EXPECT_EQ(back.load.precision, Precision::bf16);
  EXPECT_EQ(back.load.memory, Memory::lean);
}

TEST(Wire, CarriesAMeasurementAndPictures) {
  const Measurement m = sample_measurement("x", 3, 0.1, 2);
  const Measurement back = measurement_from_json(Json::parse(to_json(m).dump()));
  EXPECT_EQ(to_json(back), to_json(m));
  EXPECT_EQ(back.unet_call.total(), m.unet_call.total());
  EXPECT_EQ(back.runs[1].steps, m.runs[1].steps);
  EXPECT_EQ(picture_from_json(Json::parse(picture_to_json(m.pictures[1]).dump())), m.pictures[1]);
}

}  // namespace
}  // namespace fresco::evaluation
