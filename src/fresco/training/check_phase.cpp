// What a phase says of itself.
#include <fmt/format.h>

#include <algorithm>

#include <cmath>
#include <filesystem>

#include "fresco/core/error.h"
#include "fresco/data/shard_names.h"
#include "fresco/training/recipe_checks.h"

namespace fresco::training {
namespace {

constexpr int64_t kMostKeptOut = 10;  // for validation: a tenth at most

namespace fs = std::filesystem;

std::string nearest_multiples(int64_t value, int64_t unit) {
  const int64_t below = value / unit * unit;
  return below > 0 ? fmt::format("{} or {}", below, below + unit) : fmt::format("{}", unit);
}

void check_batch(const Phase& phase, const std::string& at, int64_t processes, Findings& findings) {
  const std::string key = at + ".batch";
  if (phase.batch < 1) return findings.problem(key, "not stated; expected the samples of a step");
  if (phase.batch % processes != 0)
    return findings.problem(key, fmt::format("{} does not divide among {} processes; {} would", phase.batch, processes,
                                             nearest_multiples(phase.batch, processes)));
  const int64_t share = phase.batch / processes;
  if (phase.micro_batch == 0 || share % phase.micro_batch == 0) return;
  findings.problem(key, fmt::format("{} does not divide by micro_batch {} in each of {} process{}; {} would",
                                    phase.batch, phase.micro_batch, processes, processes == 1 ? "" : "es",
                                    nearest_multiples(phase.batch, processes * phase.micro_batch)));
}

void check_points(const Phase& phase, const std::string& at, Findings& findings) {
  const auto& schedule = phase.schedule;
  const std::string key = at + ".schedule.points";
  const bool piecewise = schedule.kind == ScheduleKind::piecewise;
  if (piecewise && schedule.points.empty()) findings.problem(key, "piecewise needs at least one [step, factor]");
  if (!piecewise && !schedule.points.empty()) findings.problem(key, "only for `kind: piecewise`");
  for (size_t i = 1; i < schedule.points.size(); ++i)
    if (schedule.points[i].first < schedule.points[i - 1].first)
      return findings.problem(
          key, fmt::format("steps go back from {} to {}", schedule.points[i - 1].first, schedule.points[i].first));
  if (piecewise && !schedule.points.empty() && schedule.points.back().first > phase.steps)
    findings.warning(
        key, fmt::format("the last lies at step {}, the phase ends at {}", schedule.points.back().first, phase.steps));
}

void check_schedule(const Phase& phase, const std::string& at, Findings& findings) {
  const auto& schedule = phase.schedule;
  check_points(phase, at, findings);
  if (schedule.warmup > 0 && schedule.warmup >= phase.steps)
    findings.problem(at + ".schedule.warmup",
                     fmt::format("{} steps, but the phase ends after {}", schedule.warmup, phase.steps));
  const bool falls = schedule.kind == ScheduleKind::linear || schedule.kind == ScheduleKind::cosine;
  if (!falls && schedule.final_factor != 0)
    findings.warning(at + ".schedule.final_factor", "only for linear and cosine; not used");
}

void check_average(const Phase& phase, const std::string& at, Findings& findings) {
  const auto& ema = phase.ema;
  const std::string key = at + ".ema";
  if (ema.decay == 0) {
    if (ema.power > 0 || ema.start > 0) findings.warning(key, "no average is kept without a decay");
    return;
  }
  if (ema.start >= phase.steps)
    return findings.problem(
        key + ".start",
        fmt::format("the average would begin at step {}, but the phase ends after {}", ema.start, phase.steps));
  const double kept = std::pow(ema.decay, static_cast<double>(phase.steps - ema.start));
  if (ema.power == 0 && kept > 0.1)
    findings.warning(key + ".decay", fmt::format("after its {} steps the average still holds {:.0f} % of the weights "
                                                 "that it began from",
                                                 phase.steps - ema.start, kept * 100));
}

void check_optimizer(const Phase& phase, const std::string& at, Findings& findings) {
  const auto& optimizer = phase.optimizer;
  const bool lamb = optimizer.kind == OptimizerKind::lamb;
  if (!lamb && optimizer.smallest_norm > 0)
    findings.warning(at + ".optimizer.smallest_norm", "LAMB's alone; not used with adamw");
  if (!lamb && optimizer.learning_rate > 1e-2)
    findings.warning(at + ".optimizer.learning_rate",
                     fmt::format("{} is unusually large for adamw; 1e-4 to 1e-3 is common", optimizer.learning_rate));
  const bool two = phase.kind == PhaseKind::diffusion && phase.train == Trained::both;
  if (!two && optimizer.text_learning_rate > 0)
    findings.problem(at + ".optimizer.text_learning_rate",
                     "only for `train: both`; here learning_rate is all there is");
}

void check_filters(const data::FilterSettings& filters, const std::string& at, Findings& findings) {
  const std::string key = at + ".filters";
  if (filters.score.empty() && (filters.min_score || filters.max_score))
    findings.problem(key + ".score", "not stated; min_score and max_score need the name of a number");
  if (!filters.score.empty() && !filters.min_score && !filters.max_score)
    findings.warning(key + ".score", "without min_score or max_score only samples that lack it are left out");
  if (filters.min_score && filters.max_score && *filters.min_score > *filters.max_score)
    findings.problem(key, fmt::format("min_score {} lies above max_score {}", *filters.min_score, *filters.max_score));
  if (filters.max_caption > 0 && filters.min_caption > filters.max_caption)
    findings.problem(key,
                     fmt::format("min_caption {} lies above max_caption {}", filters.min_caption, filters.max_caption));
  if (filters.max_aspect > 0 && filters.max_aspect < 1)
    findings.problem(
        key + ".max_aspect",
        fmt::format("{} leaves nothing: a longer side is at least as long as the shorter", filters.max_aspect));
}

void check_shapes(const data::SourceSettings& source, const std::string& at, const Phase& phase, Findings& findings) {
  if (source.count == 0) findings.problem(at + ".count", "shapes are drawn; say how many");
  if (!source.filters.score.empty()) findings.warning(at + ".filters.score", "shapes have no scores: not used");
  if (phase.fit.flip) findings.warning(at, "the captions of shapes say left and right, which `flip` exchanges");
}

void check_source(const data::SourceSettings& source, const std::string& at, const Phase& phase, Findings& findings) {
  check_filters(source.filters, at, findings);
  if (source.path == "shapes") return check_shapes(source, at, phase, findings);
  if (source.path.empty()) return findings.problem(at + ".path", "not stated; expected a folder, tar shards or shapes");
  std::error_code unreadable;
  const bool plain = source.path.find_first_of("{*?[") == source.path.npos && !data::is_url(source.path);
  if (plain && !fs::exists(source.path, unreadable))
    return findings.problem(at + ".path", fmt::format("{}: no such file or folder", printable(source.path)));
  try {
    if (!plain) data::shard_names(source.path);
  } catch (const InputError& missing) {
    findings.problem(at + ".path", missing.what());
  }
}

}  // namespace

void check_steps(const Phase& phase, const std::string& at, int64_t processes, Findings& findings) {
  check_batch(phase, at, processes, findings);
  if (phase.steps < 1) return findings.problem(at + ".steps", "not stated; expected how many are trained");
  check_schedule(phase, at, findings);
  check_average(phase, at, findings);
  check_optimizer(phase, at, findings);
}

void check_data(const Recipe& recipe, const Phase& phase, const std::string& at, Findings& findings) {
  std::error_code unreadable;
  const bool cached = phase.kind == PhaseKind::diffusion && !phase.cache.empty();
  if (cached && !fs::is_directory(phase.cache, unreadable))
    findings.problem(at + ".cache", fmt::format("{}: no such folder", phase.cache));
  for (const auto& other : recipe.phases)
    if (cached && &other < &phase && other.kind == PhaseKind::autoencoder)
      findings.problem(at + ".cache",
                       fmt::format("was made before {} trains the VAE; leave it out, one is made", other.name));
  if (phase.data.empty() && !cached) findings.problem(at + ".data", "there is none; expected a source of samples");
  int64_t shapes = 0;
  for (size_t i = 0; i < phase.data.size(); ++i) {
    check_source(phase.data[i], fmt::format("{}.data[{}]", at, i), phase, findings);
    const bool drawn = phase.data[i].path == "shapes" && shapes >= 0;
    shapes = drawn ? shapes + phase.data[i].count : -1;  // how many there are is known of shapes alone
  }
  const int64_t kept_out = std::min(recipe.watch.validation_samples, shapes / kMostKeptOut);
  const int64_t left = shapes - (phase.kind == PhaseKind::diffusion ? kept_out : 0);
  if (shapes > 0 && left < phase.batch)
    findings.problem(at + ".data", fmt::format("{} samples, {} of them for validation, do not fill a batch of {}",
                                               shapes, shapes - left, phase.batch));
}

void check_diffusion(const Phase& phase, const std::string& at, Findings& findings) {
  const auto& loss = phase.loss;
  const bool zero = phase.noise.zero_terminal_snr, epsilon = loss.prediction == sampling::Prediction::epsilon;
  if (epsilon && zero)
    findings.problem(
        at + ".loss.prediction",
        "epsilon cannot be learnt with zero_terminal_snr: the last timestep is nothing but noise; take velocity");
  if (epsilon && !zero && phase.noise.betas == sampling::Betas::cosine)
    findings.warning(at + ".loss.prediction",
                     "epsilon says next to nothing in the last timesteps of the cosine schedule");
  if (!epsilon && zero && loss.min_snr == MinSnrForm::paper && loss.floor == 0)
    findings.warning(at + ".loss.min_snr",
                     "paper weighs the last timestep, where drawing starts, with 0 under "
                     "zero_terminal_snr; snr_plus_one or a floor of 0.05 does not");
  if (zero && loss.noise_offset > 0)
    findings.warning(at + ".loss.noise_offset",
                     "not needed with zero_terminal_snr, which teaches brightness by itself");
  if (phase.noise.betas != sampling::Betas::cosine && phase.noise.beta_start >= phase.noise.beta_end)
    findings.problem(at + ".noise", fmt::format("beta_start {} does not lie below beta_end {}", phase.noise.beta_start,
                                                phase.noise.beta_end));
  if (loss.late_share > 0 && loss.late_from >= phase.noise.train_steps)
    findings.problem(at + ".loss.late_from",
                     fmt::format("{} lies beyond the last timestep, {}", loss.late_from, phase.noise.train_steps - 1));
  if (phase.caption_dropout < 0 || phase.caption_dropout > 1)
    findings.problem(at + ".caption_dropout", expected_got("0 to 1", fmt::format("{}", phase.caption_dropout)));
  if (phase.caption_dropout == 0)
    findings.warning(at + ".caption_dropout", "0: guidance has nothing to compare with; 0.1 is usual");
  if (phase.caption_dropout == 1) findings.warning(at + ".caption_dropout", "1: no caption is ever seen");
}

}  // namespace fresco::training
