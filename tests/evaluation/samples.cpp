#include "tests/evaluation/samples.h"

namespace fresco::evaluation {

Measurement sample_measurement(const std::string& model, int calls, double step_seconds, size_t pictures) {
  Measurement m;
  m.model = model;
  m.family = "Stable Diffusion v1";
  m.hash = std::string(64, 'a') + model;
  m.networks = {{"text_encoder", 123'060'480}, {"unet", 859'520'964}, {"vae", 83'653'863}};
  m.unet_call.conv3x3 = 163'400'000'000;
  m.unet_call.attention = 63'000'000'000;
  m.decoding.conv3x3 = 870'700'000'000;
  m.settings = {{"steps", calls}, {"model_calls", calls}, {"guidance", 7.5}, {"sampler", "ddim"},
                {"width", 64},    {"height", 48},         {"device", "cpu"}, {"precision", "f32"},
                {"ops", "auto"},  {"threads", 2},         {"negative", ""}};
  m.load_seconds = 2.5;
  m.warm_up_seconds = 12;
  m.loaded_memory = 4'000'000'000;
  m.peak_memory = 5'340'000'000;
  for (size_t k = 0; k < pictures; ++k) {
    RunTimes run{.picture = k, .text = 0.2, .denoise = calls * step_seconds, .decode = 0.8};
    run.seconds = run.text + run.denoise + run.decode;
    run.steps.assign(static_cast<size_t>(calls), step_seconds);
    m.runs.push_back(run);
    image::Picture picture = image::blank_picture(64, 48, 3, "sample");
    for (size_t i = 0; i < picture.pixels.size(); ++i)
      picture.pixels[i] = static_cast<uint8_t>(i * (k + 1) + model.size());
    m.pictures.push_back(picture);
  }
  return m;
}

Comparison sample_comparison(const std::vector<std::string>& prompts) {
  Conditions conditions;
  conditions.prompts = prompts;
  conditions.seeds.assign(prompts.size(), 7);
  conditions.machine = report::this_machine();
  conditions.date = "2026-01-02T03:04:05Z";
  return compare(conditions, sample_measurement("lab/quick", 30, 0.1, prompts.size()),
                 sample_measurement("lab/slow", 50, 0.16, prompts.size()));
}

}  // namespace fresco::evaluation
