// A sampler of one's own as a plan: DDIM whose steps become shorter towards the picture: own_sampler MODEL PROMPT PICTURE.png [STEPS]
#include <fresco/checkpoint/model_files.h>
#include <fresco/fresco.h>
#include <fresco/sampling/mix.h>
#include <fresco/sampling/samplers.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace fresco::sampling;

// One row a U-Net call. `entry` is the clean picture as the model sees it, x0; the update goes to x0 and noise of the next level:
// x = signal * x0 + noise * z (Song, Meng, Ermon 2021, equation 12).
SamplingPlan shortening_ddim(const fresco::checkpoint::ModelFiles& files, int steps) {
  const Settings settings = read_settings(files.scheduler, files.scheduler_place, "ddim", Loading::drawing);
  const NoiseSchedule schedule(settings);
  const auto time = [&](int step) {
    return static_cast<int>((schedule.train_steps() - 1) * std::pow(1.0 - static_cast<double>(step) / steps, 1.5));
  };
  SamplingPlan plan{.sampler = "shortening-ddim", .steps = steps};
  for (int step = 0; step < steps; ++step) {
    const Level here = schedule.level(time(step));
    const Level next = step + 1 < steps ? schedule.level(time(step + 1)) : Level{.signal = 1, .noise = 0};
    const Mix z = predicted_noise(settings.prediction, here.signal, here.noise);
    plan.rows.push_back({.timestep = static_cast<double>(time(step)),
                         .entry = denoised(settings.prediction, here.signal, here.noise),
                         .update = next.signal * history(0) + next.noise * z,
                         .reached = next});
  }
  return plan;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) throw fresco::InputError("own_sampler", "expected MODEL PROMPT PICTURE.png [STEPS]");

  const auto files = fresco::checkpoint::open_model({.model = argv[1]}, fresco::no_observer());
  const auto model = fresco::Model::load(files, {});
  fresco::DrawRequest request{.prompts = {argv[2]}, .seed = 1};
  request.plan = shortening_ddim(files, argc > 4 ? std::atoi(argv[4]) : 20);
  const auto drawing = model.draw(request);
  fresco::write_picture(argv[3], drawing.pictures[0].picture, {}, /*overwrite=*/true);
  for (const auto& row : request.plan->rows) std::printf("%4.0f %6.3f\n", row.timestep, row.reached.noise);
} catch (const fresco::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.exit_status());
}
