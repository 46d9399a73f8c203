#include "fresco/training/run_recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/training/train_report.h"

namespace fresco::training {
namespace {

constexpr uint64_t kLargestSheet = 256u << 20;  // bytes of a file of samples

// Sides from the header of a PNG file: width and height are its first two numbers, big-endian, after 16 bytes.
int64_t png_side(std::string_view bytes, size_t which) {
  if (bytes.size() < 24) throw FormatError("samples", "expected a PNG file, got less than its header");
  int64_t side = 0;
  for (size_t k = 0; k < 4; ++k) side = side << 8 | static_cast<uint8_t>(bytes.at(16 + 4 * which + k));
  return side;
}

void add_step(LoggedSteps& window, const StepRecord& step) {
  window.place = step.place;
  window.steps += 1;
  window.loss += step.loss;
  window.gradient_norm += step.gradient_norm;
  window.learning_rate = step.learning_rate;
  window.decay = step.decay;
  window.images += step.images;
  window.seconds += step.seconds;
  window.wait_seconds += step.wait_seconds;
  window.flops += step.flops;
  window.memory_bytes = std::max(window.memory_bytes, step.memory_bytes);
  window.gpu_bytes = std::max(window.gpu_bytes, step.gpu_bytes);
}

LoggedSteps with_means(LoggedSteps window) {
  window.loss /= static_cast<double>(window.steps);
  window.gradient_norm /= static_cast<double>(window.steps);
  return window;
}

}  // namespace

RunRecorder::RunRecorder(RunFolder folder, std::optional<Place> from, int64_t log_every, TrainObserver& next)
    : folder_(std::move(folder)), from_(from), log_every_(log_every), next_(next), log_(folder_.log(), from) {}

void RunRecorder::attempt(const std::function<void()>& write) {
  try {
    write();
    failing_ = false;
  } catch (const Error& error) {
    if (!failing_)
      next_.on_warning(fmt::format("{}; the training goes on, lines of its record are lost", error.what()));
    failing_ = true;
  }
}

int64_t RunRecorder::whole_step(const Place& place) const {
  int64_t step = place.step;
  for (size_t k = 0; k < std::min(facts_.phases.size(), static_cast<size_t>(place.phase)); ++k)
    step += facts_.phases[k].steps;
  return step;
}

void RunRecorder::on_run(const RunFacts& facts) {
  facts_ = facts;
  attempt([&] {
    log_.add(facts);
    events_.emplace(folder_.root, from_ ? std::optional(whole_step(*from_) + 1) : std::nullopt);
  });
  next_.on_run(facts);
}

void RunRecorder::on_phase(int index, const PhaseFacts& facts, int64_t done) {
  window_ = {};
  attempt([&] { log_.add(index, facts, done); });
  next_.on_phase(index, facts, done);
}

void RunRecorder::on_step_done(const StepRecord& step) {
  add_step(window_, step);
  const auto phase = static_cast<size_t>(step.place.phase);
  const bool last = phase < facts_.phases.size() && step.place.step == facts_.phases[phase].steps;
  if (log_every_ > 0 && (step.place.step % log_every_ == 0 || step.place.step == 1 || last)) {
    const LoggedSteps line = with_means(window_);
    window_ = {};
    attempt([&] {
      log_.add(line, facts_.flops);
      show(line);
    });
  }
  next_.on_step_done(step);
}

void RunRecorder::on_event(const TrainEvent& event) {
  if (event.kind == EventKind::rollback) window_ = {};
  attempt([&] {
    log_.add(event);
    show(event);
    // A checkpoint is on the disk: so is what led to it.
    if (event.kind == EventKind::checkpoint || event.kind == EventKind::finished) log_.sync();
    if (event.kind == EventKind::finished || event.kind == EventKind::stopped) write_train_report(folder_);
  });
  next_.on_event(event);
}

void RunRecorder::show(const LoggedSteps& steps) {
  if (!events_) return;
  std::vector<Scalar> scalars = {{"train/loss", steps.loss},
                                 {"train/gradient_norm", steps.gradient_norm},
                                 {"train/learning_rate", steps.learning_rate},
                                 {"speed/images_per_second", steps.images_per_second()},
                                 {"memory/bytes", static_cast<double>(steps.memory_bytes)}};
  if (steps.decay) scalars.push_back({"train/ema_decay", *steps.decay});
  if (steps.seconds > 0) scalars.push_back({"speed/wait_share", steps.wait_seconds / steps.seconds});
  if (steps.flops > 0) scalars.push_back({"speed/flops_per_second", steps.flops_per_second()});
  if (steps.flops > 0 && facts_.flops > 0)
    scalars.push_back({"speed/machine_share", steps.flops_per_second() / facts_.flops});
  if (steps.gpu_bytes > 0) scalars.push_back({"memory/gpu_bytes", static_cast<double>(steps.gpu_bytes)});
  events_->add_scalars(whole_step(steps.place), scalars);
}

void RunRecorder::show(const TrainEvent& event) {
  if (!events_) return;
  const int64_t step = whole_step(event.place);
  if (event.kind == EventKind::rollback) events_->restart(whole_step(event.target) + 1);
  if (event.kind == EventKind::samples && !event.path.empty()) {
    const std::string bytes = read_file(folder_.root / event.path, kLargestSheet);
    events_->add_image(step, "samples", png_side(bytes, 1), png_side(bytes, 0), bytes);
  }
  if (event.kind == EventKind::validation) {
    std::vector<std::string> tags;
    for (const LossBand& band : event.bands)
      tags.push_back(fmt::format("validation/timesteps_{:04}_{:04}", band.first, band.last));
    std::vector<Scalar> scalars = {{"validation/loss", event.value}};
    for (size_t k = 0; k < tags.size(); ++k) scalars.push_back({tags[k], event.bands[k].loss});
    events_->add_scalars(step, scalars);
  }
}

}  // namespace fresco::training
