#pragma once
// Runs a plan row by row in double, as plan.h says it is to be run.
#include <ATen/ATen.h>

#include <functional>
#include <vector>

#include "fresco/sampling/plan.h"

namespace fresco::sampling {

using Model = std::function<at::Tensor(const at::Tensor& input, double timestep)>;

/// The sample after each row. `noise_seed` seeds torch's CPU generator, from which rows draw
/// float32 numbers.
inline std::vector<at::Tensor> run_plan(const SamplingPlan& plan, at::Tensor x, const Model& model,
                                        uint64_t noise_seed) {
  auto generator = at::detail::createCPUGenerator(noise_seed);
  std::vector<at::Tensor> history, trail;
  at::Tensor kept;
  for (const Row& row : plan.rows) {
    const auto output = model(row.input_scale * x, row.timestep);
    at::Tensor noise;
    const auto mixed = [&](const Mix& mix) {
      auto sum = mix.sample * x + mix.output * output;
      for (size_t k = 0; k < mix.history.size(); ++k)
        if (mix.history[k] != 0) sum = sum + mix.history[k] * history.at(k);
      if (mix.kept != 0) sum = sum + mix.kept * kept;
      return mix.noise != 0 ? sum + mix.noise * noise : sum;
    };
    auto entry = mixed(row.entry);
    history.insert(history.begin(), row.clip ? entry.clamp(-*row.clip, *row.clip) : entry);
    if (history.size() > kHeldHistory) history.pop_back();
    if (row.correction) x = mixed(*row.correction);
    if (row.keep) kept = x;
    if (row.draws_noise) noise = at::randn(x.sizes(), generator, at::TensorOptions(at::kFloat)).to(at::kDouble);
    if (row.slope) {
      const auto narrow = x.to(at::kFloat), clean = history.at(0).to(at::kFloat);
      const auto stepped = narrow + (narrow - clean) / row.slope->sigma * row.slope->change;
      x = (noise.defined() ? stepped + noise.to(at::kFloat) * row.update.noise : stepped).to(at::kDouble);
    } else {
      x = mixed(row.update);
    }
    history.erase(history.begin(), history.begin() + row.drops);
    trail.push_back(x);
  }
  return trail;
}

}  // namespace fresco::sampling
