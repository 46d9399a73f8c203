#include "fresco/evaluation/measure.h"

#include <chrono>

#include "fresco/core/memory.h"
#include "fresco/pipeline/inspect.h"
#include "fresco/pipeline/model_specs.h"
#include "fresco/unet/multiply_adds.h"
#include "fresco/vae/multiply_adds.h"

namespace fresco::evaluation {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// Passes on what the caller wants to see, with steps counted over all runs of the job.
class JobObserver : public Observer {
 public:
  JobObserver(Observer& outer, size_t runs) : outer_(outer), runs_(static_cast<int>(runs)) {}
  void begin_run() { ++run_; }
  void on_stage_start(std::string_view name) override { outer_.on_stage_start(name); }
  void on_stage(std::string_view name, double seconds) override { outer_.on_stage(name, seconds); }
  void on_transfer(const Transfer& transfer) override { outer_.on_transfer(transfer); }
  void on_warning(std::string_view text) override { outer_.on_warning(text); }
  bool cancelled() const override { return outer_.cancelled(); }
  void on_step(const Step& step) override {
    outer_.on_step({(run_ - 1) * step.of + step.index, runs_ * step.of, step.seconds});
  }

 private:
  Observer& outer_;
  int runs_;
  int run_ = 0;
};

// Not heard of: neither its steps nor its stages are part of the comparison. A warning comes again with the first real run.
class WarmUpObserver : public Observer {
 public:
  explicit WarmUpObserver(const Observer& outer) : outer_(outer) {}
  bool cancelled() const override { return outer_.cancelled(); }

 private:
  const Observer& outer_;
};

pipeline::DrawRequest request_for(const MeasureJob& job, size_t picture) {
  pipeline::DrawRequest request = job.request;
  request.prompts = {job.prompts[picture]};
  request.seed = job.seeds[picture];
  return request;
}

// Every layer that a real picture runs, at its size, with the fewest U-Net calls: ddim makes one a step for any model.
double warm_up(const pipeline::Model& model, const MeasureJob& job, Observer& observer) {
  pipeline::DrawRequest request = request_for(job, 0);
  request.sampler = "ddim";
  request.steps = 1;
  request.schedule.clear();
  request.squeeze.clear();
  request.eta.reset();
  observer.on_stage_start("warm up");
  const auto begin = Clock::now();
  WarmUpObserver silent(observer);
  model.draw(request, silent);
  const double seconds = seconds_since(begin);
  observer.on_stage("warm up", seconds);
  return seconds;
}

RunTimes times_of(const pipeline::Drawing& drawing, size_t picture, double seconds) {
  RunTimes times{.picture = picture, .seconds = seconds};
  for (const auto& stage : drawing.stages) {
    if (stage.name == "tokenize" || stage.name == "encode text") times.text += stage.seconds;
    if (stage.name == "denoise") times.denoise += stage.seconds;
    if (stage.name == "decode") times.decode += stage.seconds;
  }
  times.steps = drawing.step_seconds;
  return times;
}

void draw_all(const pipeline::Model& model, const MeasureJob& job, Measurement& result, Observer& observer) {
  JobObserver counting(observer, job.prompts.size() * static_cast<size_t>(job.repeat));
  for (int round = 0; round < job.repeat; ++round) {
    for (size_t k = 0; k < job.prompts.size(); ++k) {
      counting.begin_run();
      pipeline::DrawRequest request = request_for(job, k);
      // A GPU works behind the program's back: fetching the latents after each step makes its time that step's.
      if (model.device() == Device::cuda) request.after_row = [](int, const pipeline::Values&) {};
      const auto begin = Clock::now();
      pipeline::Drawing drawing = model.draw(request, counting);
      result.runs.push_back(times_of(drawing, k, seconds_since(begin)));
      if (round == 0) result.pictures.push_back(std::move(drawing.pictures.front().picture));
      result.settings = std::move(drawing.settings);
    }
  }
  result.settings.erase("prompts");
  result.settings.erase("seed");
}

void describe(const MeasureJob& job, Measurement& result, Observer& observer) {
  const auto files = checkpoint::open_model(job.load.files, observer);
  const pipeline::Inspection inspection = pipeline::inspect(files);
  for (const auto& part : inspection.parts) result.networks.push_back({part.name, part.parameters});
  result.model = files.given;
  result.family = checkpoint::name(files.family);
  const pipeline::ModelSpecs specs = pipeline::read_specs(files);
  const int64_t height = result.settings.at("height").get<int64_t>() / specs.vae.scale();
  const int64_t width = result.settings.at("width").get<int64_t>() / specs.vae.scale();
  result.unet_call = unet::multiply_adds(specs.unet, height, width, specs.text.positions);
  result.decoding = vae::decoder_multiply_adds(specs.vae, height, width);
}

}  // namespace

int64_t Measurement::multiply_adds_a_picture() const {
  return model_calls() * (guided() ? 2 : 1) * unet_call.total() + decoding.total();
}

Measurement measure(const MeasureJob& job, Observer& observer) {
  Measurement result;
  const auto begin = Clock::now();
  const pipeline::Model model = pipeline::Model::load(job.load, observer);
  result.load_seconds = seconds_since(begin);
  result.loaded_memory = peak_memory_bytes();
  result.warm_up_seconds = warm_up(model, job, observer);
  draw_all(model, job, result, observer);
  result.peak_memory = peak_memory_bytes();
  // From here on memory does not count: the hash reads every page of the weights' files.
  describe(job, result, observer);
  result.hash = model.weights_hash();
  return result;
}

}  // namespace fresco::evaluation
