// Two processes' gradients against those of one process that sees the whole batch.
#include "fresco/training/gradient_buckets.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "fresco/core/json.h"
#include "fresco/layers/recompute.h"
#include "fresco/training/fresh_weights.h"
#include "fresco/training/parameters.h"
#include "fresco/unet/read_spec.h"
#include "fresco/unet/unet.h"
#include "tests/training/processes.h"

namespace fresco::training {
namespace {

using test::expect_processes_pass;
using test::is_worker;

/// Largest difference as a share of the largest magnitude of the expected values.
double relative_error(const at::Tensor& got, const at::Tensor& expected) {
  return ((got - expected).abs().max() / expected.abs().max()).item<double>();
}

Workers joined() { return Workers::from_environment({.timeout = std::chrono::seconds(60)}); }

at::Tensor drawn(at::IntArrayRef shape, uint64_t seed) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::dtype(at::kDouble));
}

// The network of the small model, in float64: sums in other orders then differ by 1e-13 and less, anything forgotten by
// much more.
struct SmallUNet {
  explicit SmallUNet(bool recompute)
      : preparation{.type = at::kDouble, .recompute_cells = recompute},
        spec(
            unet::read_spec(read_json(std::string(FRESCO_SOURCE_DIR) + "/models/starter-128/flexible_unet/config.json"),
                            "config.json")),
        parameters([&](const layers::WeightSource& source) { unet::UNet(spec, source, preparation); }, at::kDouble) {
    draw_fresh_weights(parameters, 1);
    network = std::make_unique<unet::UNet>(spec, parameters, preparation);
  }
  /// Adds the gradient of samples [begin, end) of `of` to it.
  void backward(int64_t begin, int64_t end, int64_t of, uint64_t seed) {
    const auto latents = drawn({of, spec.in_channels, 8, 8}, seed).slice(0, begin, end);
    const auto context = drawn({of, 7, spec.context_width}, seed + 1).slice(0, begin, end);
    const auto times = at::arange(begin, end, at::kFloat) * 100;
    const auto out = network->forward(latents, times, network->bind(context));
    (out.square().sum() / static_cast<double>(of)).backward();
  }
  layers::Preparation preparation;
  unet::UNetSpec spec;
  Parameters parameters;
  std::unique_ptr<unet::UNet> network;
};

struct Case {
  bool recompute, sharded;
};
class TwoProcesses : public testing::TestWithParam<Case> {};

// Three steps of four samples, each process two of them in two micro-batches.
TEST_P(TwoProcesses, GetTheGradientsOfOne) {
  if (!is_worker()) return expect_processes_pass(2);
  SmallUNet unet(GetParam().recompute);
  const auto& gradients = unet.parameters.grads();
  const auto workers = joined();
  const BucketSettings settings{.bytes = 8 << 20, .first_bytes = 1 << 20, .sharded = GetParam().sharded};
  GradientBuckets buckets(workers, {{gradients, unet.parameters.leaves()}}, settings);
  for (uint64_t step = 0; step < 3; ++step) {
    gradients.zero_();
    unet.backward(0, 4, 4, step);
    const auto expected = gradients.clone();
    gradients.zero_();
    const int64_t first = 2 * workers.rank();
    unet.backward(first, first + 1, 4, step);
    buckets.arm();
    unet.backward(first + 1, first + 2, 4, step);
    buckets.finish();
    Shard own{0, gradients.numel()};
    if (settings.sharded) own = shard_of(gradients.numel(), workers.rank(), workers.size());
    EXPECT_LT(relative_error(gradients.slice(0, own.begin, own.end), expected.slice(0, own.begin, own.end)), 1e-11);
    EXPECT_GT(buckets.count(), 4);
    if (step == 0)
      EXPECT_EQ(buckets.sent_early(), 0);
    else
      EXPECT_EQ(buckets.sent_early(), buckets.count());
  }
}

INSTANTIATE_TEST_SUITE_P(UNets, TwoProcesses, testing::Values(Case{false, false}, Case{true, true}));

/// Two leaves in one flat gradient.
struct TwoLeaves {
  TwoLeaves() {
    for (int i = 0; i < 2; ++i) {
      leaves.push_back(at::full({64}, i + 1, at::kDouble).requires_grad_());
      leaves.back().mutable_grad() = flat.narrow(0, 64 * i, 64);
    }
  }
  at::Tensor flat = at::zeros({128}, at::kDouble);
  std::vector<at::Tensor> leaves;
};

// A cell that is used twice, and once more inside one that is computed again: its gradient comes in several additions.
TEST(GradientBuckets, WaitForEveryAdditionOfASharedCell) {
  if (!is_worker()) return expect_processes_pass(2);
  const auto workers = joined();
  TwoLeaves two;
  GradientBuckets buckets(workers, {{two.flat, two.leaves}}, {.bytes = 1, .first_bytes = 1});
  const auto& [a, b] = std::tie(two.leaves[0], two.leaves[1]);
  for (int step = 0; step < 3; ++step) {
    two.flat.zero_();
    buckets.arm();
    const auto again = [&](const at::Tensor& x) {
      return layers::recomputed([&](const std::vector<at::Tensor>& in) { return in[0] * a; }, {x});
    };
    const auto y = again(again(at::ones({64}, at::kDouble) * b)) * a;  // a^3 b
    (y.sum() * (workers.rank() + 1)).backward();
    buckets.finish();
    // At a = 1, b = 2: 3 a^2 b = 6 and a^3 = 1, times 1 + 2.
    EXPECT_TRUE(at::equal(two.flat, at::cat({at::full({64}, 18, at::kDouble), at::full({64}, 3, at::kDouble)})));
    EXPECT_EQ(buckets.count(), 2);
    EXPECT_EQ(buckets.sent_early(), step > 0 ? 2 : 0);
  }
}

// Unused in a step: nothing comes, but the sums of the others are right, and the processes stay together even where
// only one of them uses it.
TEST(GradientBuckets, SendWhatWasNotUsedInTheEnd) {
  if (!is_worker()) return expect_processes_pass(2);
  const auto workers = joined();
  TwoLeaves two;
  GradientBuckets buckets(workers, {{two.flat, two.leaves}}, {.bytes = 1, .first_bytes = 1});
  for (int step = 0; step < 3; ++step) {
    two.flat.zero_();
    buckets.arm();
    const bool both = step == 0 || workers.rank() == 0;
    (both ? (two.leaves[0] * two.leaves[1]).sum() : two.leaves[0].sum()).backward();
    buckets.finish();
    const double of_first = step == 0 ? 4 : 3, of_second = step == 0 ? 2 : 1;
    EXPECT_TRUE(
        at::equal(two.flat, at::cat({at::full({64}, of_first, at::kDouble), at::full({64}, of_second, at::kDouble)})));
  }
}

TEST(GradientBuckets, RefuseMoreAdditionsThanTheFirstStepHad) {
  if (!is_worker()) return expect_processes_pass(2);
  const auto workers = joined();
  TwoLeaves two;
  GradientBuckets buckets(workers, {{two.flat, two.leaves}}, {.bytes = 1, .first_bytes = 1});
  buckets.arm();
  two.leaves[0].sum().backward();
  buckets.finish();
  buckets.arm();
  EXPECT_THROW((two.leaves[0] * two.leaves[1]).sum().backward(), std::logic_error);
  buckets.finish();
}

TEST(GradientBuckets, OfOneProcessLeaveGradientsAlone) {
  TwoLeaves two;
  GradientBuckets buckets(Workers(), {{two.flat, two.leaves}});
  buckets.arm();
  (two.leaves[0] * two.leaves[1]).sum().backward();
  buckets.finish();
  EXPECT_TRUE(at::equal(two.flat, at::cat({at::full({64}, 2, at::kDouble), at::full({64}, 1, at::kDouble)})));
}

}  // namespace
}  // namespace fresco::training
