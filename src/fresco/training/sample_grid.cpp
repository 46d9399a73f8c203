#include "fresco/training/sample_grid.h"

#include <chrono>

#include "fresco/core/error.h"
#include "fresco/image/planes.h"
#include "fresco/pipeline/model.h"
#include "fresco/training/samples.h"

namespace fresco::training {
namespace {

std::vector<image::Picture> pictures_of(const pipeline::Values& drawn) {
  const int64_t c = drawn.shape[1], h = drawn.shape[2], w = drawn.shape[3];
  std::vector<image::Picture> all;
  for (int64_t i = 0; i < drawn.shape[0]; ++i)
    all.push_back(image::from_planes(drawn.data.data() + i * c * h * w, c, h, w));
  return all;
}

}  // namespace

TrainEvent draw_samples(const TrainingModel& model, const WatchSettings& watch, const Place& place,
                        const RunFolder& folder, const std::string& phase_name) {
  const auto begin = std::chrono::steady_clock::now();
  TrainEvent event{.kind = EventKind::samples, .place = place};
  try {
    const auto drawing_model = pipeline::Model::load(model.files(/*half=*/false), {.device = Device::cpu});
    const auto drawing = drawing_model.draw({.prompts = watch.prompts,
                                             .steps = watch.sample_steps,
                                             .guidance = watch.sample_guidance,
                                             .guidance_rescale = watch.sample_guidance_rescale,
                                             .seed = 0});
    event.path = save_samples(folder, place, phase_name, pictures_of(drawing.image), watch.prompts);
  } catch (const Error& error) {
    event.text = error.what();
  }
  event.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return event;
}

}  // namespace fresco::training
