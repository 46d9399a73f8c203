#include "fresco/training/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace fresco::training {
namespace {

Shard own_of(const Parameters& parameters, const Workers& sharers) {
  return shard_of(parameters.count(), sharers.rank(), sharers.size());
}

at::Tensor part(const at::Tensor& vector, const Shard& shard) {
  return vector.narrow(0, shard.begin, shard.end - shard.begin);
}

// What [offset, offset + count) and a shard have in common.
Shard common(int64_t offset, int64_t count, const Shard& shard) {
  const int64_t begin = std::max(offset, shard.begin);
  return {begin, std::max(begin, std::min(offset + count, shard.end))};
}

// What optimisers have in common: moments of their shard of the parameters.
class Moments : public Optimizer {
 public:
  Moments(const OptimizerSettings& settings, Parameters& parameters, const Workers& sharers)
      : settings_(settings),
        parameters_(parameters),
        sharers_(sharers),
        own_(own_of(parameters, sharers)),
        first_(at::zeros_like(part(parameters.values(), own_))),
        second_(at::zeros_like(first_)) {}

  void step(int64_t step, double learning_rate) final {
    const c10::NoGradGuard guard;
    update(step, learning_rate);
    sharers_.all_gather(parameters_.values());
  }
  std::vector<NamedVector> state() final { return {{"first", whole(first_)}, {"second", whole(second_)}}; }
  void restore(const std::vector<NamedVector>& state) final {
    first_.copy_(part(state.at(0).values, own_));
    second_.copy_(part(state.at(1).values, own_));
  }

 protected:
  virtual void update(int64_t step, double learning_rate) = 0;
  at::Tensor moment(const at::Tensor& vector, const Shard& shard) const {
    return vector.narrow(0, shard.begin - own_.begin, shard.end - shard.begin);
  }

  OptimizerSettings settings_;
  Parameters& parameters_;
  Workers sharers_;
  Shard own_;
  at::Tensor first_, second_;  // of own_

 private:
  at::Tensor whole(const at::Tensor& moment) const {
    if (sharers_.size() == 1) return moment;
    auto all = at::zeros_like(parameters_.values());
    part(all, own_).copy_(moment);
    sharers_.all_gather(all);
    return all;
  }
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

class AdamW : public Moments {
 public:
  AdamW(const OptimizerSettings& settings, Parameters& parameters, const Workers& sharers)
      : Moments(settings, parameters, sharers), runs_(runs_of(parameters, settings.decay_gains)) {}

 private:
  void update(int64_t step, double learning_rate) override {
    for (const bool decayed : {true, false}) update(decayed, step, learning_rate);
  }

  void update(bool decayed, int64_t step, double learning_rate) {
    std::vector<at::Tensor> values, grads, first, second;
    for (const Run& run : runs_) {
      const Shard shard = common(run.offset, run.count, own_);
      if (run.decayed != decayed || shard.begin == shard.end) continue;
      values.push_back(part(parameters_.values(), shard));
      grads.push_back(part(parameters_.grads(), shard));
      first.push_back(moment(first_, shard));
      second.push_back(moment(second_, shard));
    }
    if (values.empty()) return;
    const std::vector<at::Tensor> steps(values.size(),
                                        at::scalar_tensor(step, values.front().options().dtype(at::kFloat)));
    at::_fused_adamw_(values, grads, first, second, {}, steps, learning_rate, settings_.beta1, settings_.beta2,
                      decayed ? settings_.weight_decay : 0, settings_.eps, /*amsgrad=*/false, /*maximize=*/false);
  }

  std::vector<Run> runs_;
};

class Lamb : public Moments {
 public:
  using Moments::Moments;

 private:
  void update(int64_t step, double learning_rate) override {
    const auto g = part(parameters_.grads(), own_);
    first_.mul_(settings_.beta1).add_(g, 1 - settings_.beta1);
    second_.mul_(settings_.beta2).addcmul_(g, g, 1 - settings_.beta2);
    const double first = 1 - std::pow(settings_.beta1, step), second = 1 - std::pow(settings_.beta2, step);
    auto direction = (second_ / second).sqrt_().add_(settings_.eps);
    direction = at::div_out(direction, first_ / first, direction);
    const auto squares = decay_and_measure(direction);
    const auto& slices = parameters_.slices();
    for (size_t i = 0; i < slices.size(); ++i) {
      const Shard shard = common(slices[i].offset, slices[i].count, own_);
      if (shard.begin == shard.end) continue;
      const double factor = adapted(slices[i]) ? trust(squares[2 * i], squares[2 * i + 1]) : 1;
      part(parameters_.values(), shard).add_(moment(direction, shard), -learning_rate * factor);
    }
  }

  bool adapted(const ParameterSlice& slice) const { return settings_.decay_gains || !slice.gain; }

  // Adds the decay to the directions; returns the squared norms of each tensor's weights and direction, over all shards.
  std::vector<double> decay_and_measure(const at::Tensor& directions) const {
    std::vector<double> squares;
    for (const auto& slice : parameters_.slices()) {
      const Shard shard = common(slice.offset, slice.count, own_);
      if (!adapted(slice) || shard.begin == shard.end) {
        squares.insert(squares.end(), {0, 0});
        continue;
      }
      const auto weights = part(parameters_.values(), shard);
      const auto direction = moment(directions, shard).add_(weights, settings_.weight_decay);
      squares.push_back(std::pow(weights.norm().item<double>(), 2));
      squares.push_back(std::pow(direction.norm().item<double>(), 2));
    }
    sharers_.all_reduce(squares);
    return squares;
  }

  double trust(double weight_squares, double direction_squares) const {
    const double of_weights = std::max(std::sqrt(weight_squares), settings_.smallest_norm);
    const double of_direction = std::sqrt(direction_squares);
    return of_weights > 0 && of_direction > 0 ? of_weights / of_direction : 1;
  }
};

// In pieces that stay in cache: no second vector of all parameters comes to be.
double squared_norm(const at::Tensor& vector) {
  constexpr int64_t kPiece = 1 << 18;
  double sum = 0;
  for (const auto& piece : vector.split(kPiece)) sum += piece.square().sum(at::kDouble).item<double>();
  return sum;
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings, Parameters& parameters,
                                          const Workers& sharers) {
  if (settings.kind == OptimizerKind::lamb) return std::make_unique<Lamb>(settings, parameters, sharers);
  return std::make_unique<AdamW>(settings, parameters, sharers);
}

double clip_gradients(const std::vector<Parameters*>& networks, double clip, const Workers& sharers) {
  const c10::NoGradGuard guard;
  double squares[] = {0};
  const auto own = [&](const Parameters& network) { return part(network.grads(), own_of(network, sharers)); };
  for (const auto* network : networks) squares[0] += squared_norm(own(*network));
  sharers.all_reduce(squares);
  const double norm = std::sqrt(squares[0]);
  if (clip > 0 && norm > clip)
    for (const auto* network : networks) own(*network).mul_(clip / (norm + 1e-6));  // as torch.nn.utils does
  return norm;
}

}  // namespace fresco::training
