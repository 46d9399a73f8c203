// Optimisers whose state two processes share out, against the same ones whole.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "fresco/training/optimizer.h"
#include "tests/training/processes.h"

namespace fresco::training {
namespace {

using test::expect_processes_pass;
using test::is_worker;

// A boundary between the shares inside a matrix; a gain that stays zero.
void build(const layers::WeightSource& source) {
  source.get("in", {5, 3});
  source.get("gain", {70});
  source.get("kernel", {8, 4, 3, 3});
  source.get("out", {40, 10});
}

struct Trained {
  Trained() : parameters(build, at::kDouble) {
    auto values = parameters.values();
    values.copy_(drawn(0));
    Parameters::part(values, parameters.slices()[1]).zero_();
  }
  at::Tensor drawn(int64_t seed) const {
    return at::randn({parameters.count()}, at::make_generator<at::CPUGeneratorImpl>(static_cast<uint64_t>(seed)),
                     at::dtype(at::kDouble));
  }
  /// Steps `first` .. `last` - 1; returns the norm before clipping at the last.
  double train(Optimizer& optimizer, int64_t first, int64_t last, const Workers& sharers) {
    double norm = 0;
    for (int64_t step = first; step < last; ++step) {
      parameters.grads().copy_(drawn(step));
      norm = clip_gradients({&parameters}, 5, sharers);
      optimizer.step(step, 0.01);
    }
    return norm;
  }
  Parameters parameters;
};

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

class SharedOptimizer : public testing::TestWithParam<OptimizerKind> {};

TEST_P(SharedOptimizer, DoesWhatTheWholeOneDoes) {
  if (!is_worker()) return expect_processes_pass(2);
  const auto workers = Workers::from_environment({.timeout = std::chrono::seconds(60)});
  const OptimizerSettings settings{.kind = GetParam(), .decay_gains = false};
  Trained whole, shared;
  const auto optimizer = make_optimizer(settings, whole.parameters);
  auto part = make_optimizer(settings, shared.parameters, workers);
  EXPECT_NEAR(shared.train(*part, 1, 4, workers), whole.train(*optimizer, 1, 4, {}), 1e-12);
  EXPECT_LT(difference(shared.parameters.values(), whole.parameters.values()), 1e-13);
  // And goes on from what a checkpoint keeps.
  const auto kept = part->state(), expected = optimizer->state();
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_LT(difference(kept[i].values, expected[i].values), 1e-13);
  part = make_optimizer(settings, shared.parameters, workers);
  part->restore(kept);
  shared.train(*part, 4, 6, workers);
  whole.train(*optimizer, 4, 6, {});
  EXPECT_LT(difference(shared.parameters.values(), whole.parameters.values()), 1e-13);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SharedOptimizer, testing::Values(OptimizerKind::adamw, OptimizerKind::lamb));

}  // namespace
}  // namespace fresco::training
