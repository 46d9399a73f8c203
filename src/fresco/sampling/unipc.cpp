// UniPC: Zhao, Bai, Rao, Zhou, Lu 2023, "UniPC: A Unified Predictor-Corrector Framework for Fast
// Sampling of Diffusion Models", algorithms 5 (corrector) and 6 (predictor) in data prediction,
// with B(h) = h (bh1) or expm1(h) (bh2). The corrector mends the sample that the last predictor
// made, with the model's output there; that output is not asked for again.
#include "fresco/sampling/samplers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fresco/sampling/mix.h"

namespace fresco::sampling {
namespace {

constexpr size_t kLargestOrder = 3;
using Weights = std::array<double, kLargestOrder>;

// Solves sum_k ratios[k]^j * weights[k] = right[j], j and k < size (a Vandermonde system), by
// elimination with pivots.
Weights solve(const Weights& ratios, const Weights& right, size_t size) {
  std::array<std::array<double, kLargestOrder + 1>, kLargestOrder> rows{};
  for (size_t j = 0; j < size; ++j) {
    for (size_t k = 0; k < size; ++k) rows[j][k] = std::pow(ratios[k], static_cast<double>(j));
    rows[j][size] = right[j];
  }
  for (size_t column = 0; column < size; ++column) {
    const auto pivot =
        std::max_element(rows.begin() + static_cast<long>(column), rows.begin() + static_cast<long>(size),
                         [&](const auto& a, const auto& b) { return std::abs(a[column]) < std::abs(b[column]); });
    std::swap(*pivot, rows[column]);
    for (size_t j = 0; j < size; ++j) {
      if (j == column) continue;
      const double factor = rows[j][column] / rows[column][column];
      for (size_t k = column; k <= size; ++k) rows[j][k] -= factor * rows[column][k];
    }
  }
  Weights weights{};
  for (size_t j = 0; j < size; ++j) weights[j] = rows[j][size] / rows[j][j];
  return weights;
}

// One step from `from` to `to`; `ratios` of earlier steps' lengths to this one's, nearest first,
// then 1.
struct Step {
  Step(const Rates& from, const Rates& to, bool bh1)
      : h(to.lambda - from.lambda),
        sample(to.sigma / from.sigma),
        alpha(to.alpha),
        phi(std::expm1(-h)),
        b(bh1 ? -h : phi) {}

  // Right-hand sides of the order conditions, in float32 as diffusers forms them.
  Weights right_hand(size_t order) const {
    Weights right{};
    float term = phi / -h - 1.0f, factorial = 1;
    for (size_t j = 0; j < order; ++j) {
      right[j] = term * factorial / b;
      factorial *= static_cast<float>(j + 2);
      term = term / -h - 1.0f / factorial;
    }
    return right;
  }

  float h, sample, alpha, phi, b;
};

class Builder {
 public:
  Builder(const Settings& settings, const std::vector<float>& sigmas)
      : bh1_(settings.solver_type == "bh1"), rates_(sigmas.begin(), sigmas.end()) {}

  /// From point i to i + 1. history(k): x0 at point i - k.
  Mix predictor(size_t i, size_t order) const {
    const Step step(rates_[i], rates_[i + 1], bh1_);
    const auto ratios = ratios_before(i, step.h, order);
    const auto weights = order == 2 ? Weights{0.5} : solve(ratios, step.right_hand(order), order - 1);
    Mix update = step.sample * sample() - step.alpha * step.phi * history(0);
    for (size_t k = 0; k + 1 < order; ++k)
      update = update - step.alpha * step.b * weights[k] / ratios[k] * (history(static_cast<int>(k) + 1) - history(0));
    return update;
  }

  /// Redoes the step from i - 1 to i with x0 at i, history(0). kept: the sample at i - 1.
  Mix corrector(size_t i, size_t order) const {
    const Step step(rates_[i - 1], rates_[i], bh1_);
    const auto ratios = ratios_before(i - 1, step.h, order);
    const auto weights = order == 1 ? Weights{0.5} : solve(ratios, step.right_hand(order), order);
    Mix change = weights[order - 1] * (history(0) - history(1));
    for (size_t k = 0; k + 1 < order; ++k)
      change = change + weights[k] / ratios[k] * (history(static_cast<int>(k) + 2) - history(1));
    return step.sample * kept() - step.alpha * step.phi * history(1) - step.alpha * step.b * change;
  }

  const Rates& rates(size_t i) const { return rates_[i]; }

 private:
  Weights ratios_before(size_t i, float h, size_t order) const {
    Weights ratios{};
    for (size_t k = 0; k + 1 < order; ++k) ratios[k] = (rates_[i - k - 1].lambda - rates_[i].lambda) / h;
    ratios[order - 1] = 1;
    return ratios;
  }

  bool bh1_;
  std::vector<Rates> rates_;
};

bool corrects(const Settings& settings, size_t i) {
  const auto& disabled = settings.disable_corrector;
  return std::find(disabled.begin(), disabled.end(), static_cast<int>(i) - 1) == disabled.end();
}

}  // namespace

SamplingPlan unipc_plan(const Settings& settings, const Run& run) {
  const NoiseSchedule schedule(settings, true);
  const auto grid = solver_grid(settings, schedule, run.steps, settings.train_steps, Solver::unipc);
  const size_t begin = begin_index(grid.timesteps, run), count = grid.timesteps.size();
  const Builder builder(settings, grid.sigmas);
  SamplingPlan plan;
  size_t order = 0;
  for (size_t i = begin; i < count; ++i) {
    Row row{.timestep = grid.timesteps[i],
            .entry = denoised(settings.prediction, builder.rates(i).alpha, builder.rates(i).sigma),
            .keep = true};
    if (i > begin && corrects(settings, i)) row.correction = builder.corrector(i, order);
    const auto largest = static_cast<size_t>(settings.solver_order);
    order = std::min({settings.lower_order_final ? count - i : largest, largest, i - begin + 1});
    row.update = builder.predictor(i, order);
    plan.rows.push_back(row);
  }
  set_levels(plan, solver_levels(grid.sigmas), begin);
  return plan;
}

}  // namespace fresco::sampling
