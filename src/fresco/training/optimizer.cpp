#include "fresco/training/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

namespace fresco::training {
namespace {

// Vectors of one optimiser, laid out like the parameters.
struct Moments {
  explicit Moments(const Parameters& parameters)
      : first(at::zeros_like(parameters.values())), second(at::zeros_like(parameters.values())) {}
  std::vector<NamedVector> named() const { return {{"first", first}, {"second", second}}; }
  at::Tensor first, second;
};

// Values that lie side by side and are decayed alike.
struct Run {
  int64_t offset, count;
  bool decayed;
};

std::vector<Run> runs_of(const Parameters& parameters, bool decay_gains) {
  std::vector<Run> runs;
  for (const auto& slice : parameters.slices()) {
    const bool decayed = decay_gains || !slice.gain;
    if (!runs.empty() && runs.back().decayed == decayed) {
      runs.back().count += slice.count;
    } else {
      runs.push_back({slice.offset, slice.count, decayed});
    }
  }
  return runs;
}

class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerSettings& settings, Parameters& parameters)
      : settings_(settings),
        parameters_(parameters),
        moments_(parameters),
        runs_(runs_of(parameters, settings.decay_gains)) {}

  void step(int64_t step, double learning_rate) override {
    const c10::NoGradGuard guard;
    for (const bool decayed : {true, false}) update(decayed, step, learning_rate);
  }
  std::vector<NamedVector> state() override { return moments_.named(); }

 private:
  std::vector<at::Tensor> parts(const at::Tensor& vector, bool decayed) const {
    std::vector<at::Tensor> found;
    for (const Run& run : runs_)
      if (run.decayed == decayed) found.push_back(vector.narrow(0, run.offset, run.count));
    return found;
  }

  void update(bool decayed, int64_t step, double learning_rate) {
    auto values = parts(parameters_.values(), decayed);
    if (values.empty()) return;
    const std::vector<at::Tensor> steps(values.size(), at::scalar_tensor(step, at::kFloat));
    at::_fused_adamw_(values, parts(parameters_.grads(), decayed), parts(moments_.first, decayed),
                      parts(moments_.second, decayed), {}, steps, learning_rate, settings_.beta1, settings_.beta2,
                      decayed ? settings_.weight_decay : 0, settings_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }

  OptimizerSettings settings_;
  Parameters& parameters_;
  Moments moments_;
  std::vector<Run> runs_;
};

class Lamb : public Optimizer {
 public:
  Lamb(const OptimizerSettings& settings, Parameters& parameters)
      : settings_(settings), parameters_(parameters), moments_(parameters) {}

  void step(int64_t step, double learning_rate) override {
    const c10::NoGradGuard guard;
    const auto& g = parameters_.grads();
    moments_.first.mul_(settings_.beta1).add_(g, 1 - settings_.beta1);
    moments_.second.mul_(settings_.beta2).addcmul_(g, g, 1 - settings_.beta2);
    const double first = 1 - std::pow(settings_.beta1, step), second = 1 - std::pow(settings_.beta2, step);
    auto direction = (moments_.second / second).sqrt_().add_(settings_.eps);
    direction = at::div_out(direction, moments_.first / first, direction);
    for (const auto& slice : parameters_.slices()) update(slice, direction, learning_rate);
  }
  std::vector<NamedVector> state() override { return moments_.named(); }

 private:
  void update(const ParameterSlice& slice, const at::Tensor& directions, double learning_rate) const {
    auto weights = parameters_.values().narrow(0, slice.offset, slice.count);
    auto direction = directions.narrow(0, slice.offset, slice.count);
    const bool adapted = settings_.decay_gains || !slice.gain;
    if (adapted) direction.add_(weights, settings_.weight_decay);
    weights.add_(direction, -learning_rate * (adapted ? trust(weights, direction) : 1));
  }

  double trust(const at::Tensor& weights, const at::Tensor& direction) const {
    const double of_weights = std::max(weights.norm().item<double>(), settings_.smallest_norm);
    const double of_direction = direction.norm().item<double>();
    return of_weights > 0 && of_direction > 0 ? of_weights / of_direction : 1;
  }

  OptimizerSettings settings_;
  Parameters& parameters_;
  Moments moments_;
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, Parameters& parameters) {
  if (settings.kind == OptimizerKind::lamb) return std::make_unique<Lamb>(settings, parameters);
  return std::make_unique<AdamW>(settings, parameters);
}

double clip_gradients(const std::vector<Parameters*>& networks, double clip) {
  const c10::NoGradGuard guard;
  double squares = 0;
  for (const auto* network : networks) squares += network->grads().square().sum(at::kDouble).item<double>();
  const double norm = std::sqrt(squares);
  if (clip > 0 && norm > clip)
    for (const auto* network : networks) network->grads().mul_(clip / (norm + 1e-6));  // as torch.nn.utils does
  return norm;
}

}  // namespace fresco::training
