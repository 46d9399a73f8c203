#include "fresco/pipeline/denoise.h"

#include <ATen/ATen.h>

#include <chrono>

#include "fresco/ops/guidance/guidance.h"
#include "fresco/ops/mix/mix.h"
#include "fresco/ops/profile.h"
#include "fresco/ops/slope_step/slope_step.h"

namespace fresco::pipeline {
namespace {

// One line of the table for every sample of the batch: [B, K] over {sample, output, kept, history..., noise}.
at::Tensor coefficients(const sampling::Mix& mix, int64_t batch) {
  std::vector<double> line{mix.sample, mix.output, mix.kept};
  line.insert(line.end(), mix.history.begin(), mix.history.end());
  line.push_back(mix.noise);
  return at::tensor(line, at::kDouble).unsqueeze(0).expand({batch, -1});
}

at::Tensor mixed(const sampling::Mix& mix, const Registers& registers, const at::Tensor& output,
                 const at::Tensor& noise) {
  std::vector<at::Tensor> inputs{registers.sample, output, registers.kept};
  for (size_t k = 0; k < sampling::kHistory; ++k)
    inputs.push_back(k < registers.history.size() ? registers.history[k] : at::Tensor());
  inputs.push_back(noise);
  return ops::mix({inputs, coefficients(mix, registers.sample.size(0))});
}

// One number for every sample of the batch.
at::Tensor constant(double value, const at::Tensor& like) {
  return at::full({like.size(0)}, value, at::dtype(at::kFloat).device(like.device()));
}

at::Tensor updated(const sampling::Row& row, const Registers& registers, const at::Tensor& output,
                   const at::Tensor& noise) {
  if (!row.slope) return mixed(row.update, registers, output, noise);
  const auto& x = registers.sample;
  const auto stepped =
      ops::slope_step({x, registers.history[0], constant(row.slope->sigma, x), constant(row.slope->change, x)});
  return noise.defined() ? stepped + noise * row.update.noise : stepped;
}

// Every time of a plan, in the order of its rows.
unet::BoundTimes bind_times(const unet::UNet& unet, const sampling::SamplingPlan& plan) {
  std::vector<float> times;
  for (const auto& row : plan.rows) times.push_back(static_cast<float>(row.timestep));
  return unet.bind_time(at::tensor(times, at::kFloat));
}

at::Tensor predict(const unet::UNet& unet, const Guidance& guidance, const sampling::Row& row,
                   const unet::BoundTimes& times, const at::Tensor& sample) {
  const auto scaled = row.input_scale == 1 ? sample : sample * row.input_scale;
  const auto output =
      unet.forward(scaled, times, guidance.text);  // with guidance [2B, ...]: without the prompt, with it
  if (!guidance.on()) return output;
  return ops::guidance({output, constant(guidance.scale, sample), constant(guidance.rescale, sample)});
}

}  // namespace

void apply_row(const sampling::Row& row, const at::Tensor& output, Registers& registers,
               const std::function<at::Tensor()>& draw) {
  auto entry = mixed(row.entry, registers, output, {});
  if (row.clip) entry = entry.clamp(-*row.clip, *row.clip);
  auto& history = registers.history;
  history.insert(history.begin(), std::move(entry));
  if (history.size() > sampling::kHeldHistory) history.pop_back();
  if (row.correction) registers.sample = mixed(*row.correction, registers, output, {});
  if (row.keep) registers.kept = registers.sample;
  const auto noise = row.draws_noise ? draw() : at::Tensor();
  registers.sample = updated(row, registers, output, noise);
  history.erase(history.begin(), history.begin() + row.drops);
}

DenoiseResult denoise(const unet::UNet& unet, const sampling::SamplingPlan& plan, Guidance guidance, at::Tensor start,
                      NoiseStream& noise, const DenoiseHooks& hooks, Observer& observer) {
  const auto device = unet.preparation().device;
  Registers registers{.sample = start.to(device)};
  const auto shape = start.sizes().slice(1).vec();
  const auto draw = [&] { return noise.draw(shape).to(device); };
  DenoiseResult result;
  const int count = static_cast<int>(plan.rows.size());
  const auto times = bind_times(unet, plan);
  for (int i = 0; i < count; ++i) {
    check_cancelled(observer);
    const ops::Span span(ops::SpanKind::step, "step", hooks.rows_before + i + 1);
    const auto begin = std::chrono::steady_clock::now();
    const sampling::Row& row = plan.rows[i];
    apply_row(row, predict(unet, guidance, row, times.at(i, start.size(0)), registers.sample), registers, draw);
    if (hooks.after_row) hooks.after_row(row, registers.sample);
    const bool last = hooks.control && hooks.control(i, row, registers.sample, guidance);
    result.step_seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    observer.on_step({hooks.rows_before + i + 1, std::max(count, hooks.rows_in_all), result.step_seconds.back()});
    if (last) break;
  }
  result.latents = registers.sample.to(at::kCPU);
  return result;
}

}  // namespace fresco::pipeline
