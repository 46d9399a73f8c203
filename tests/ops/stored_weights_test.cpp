// Weights that are left where they are stored: read anew at each use, with the very results of weights that are held.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/linear/linear.h"
#include "fresco/ops/memory/arena.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

// A store of one tensor that counts how often it was read and let go.
struct Store {
  explicit Store(at::Tensor values) : values(std::move(values)) {}
  ops::StoredTensor tensor() {
    const auto read = [this] { return ++reads, values; };
    return {values.sizes().vec(), values.scalar_type(), read, [this] { ++releases; }};
  }
  at::Tensor values;
  int reads = 0, releases = 0;
};

class StoredWeights : public testing::TestWithParam<std::tuple<std::string, at::ScalarType>> {
 protected:
  const std::string& form() const { return std::get<0>(GetParam()); }
  at::Tensor weight(at::IntArrayRef shape) const { return at::randn(shape).to(std::get<1>(GetParam())); }
};

TEST_P(StoredWeights, GiveTheProductsOfHeldOnes) {
  const ops::ScopedForm forced(form());
  for (const bool gated : {false, true}) {
    Store store(weight({70, 33}));
    const auto bias = at::randn({70}), x = at::randn({19, 33});
    const ops::LinearWeights held(store.values.to(at::kFloat), bias, gated), stored(store.tensor(), bias, gated);
    const auto expected = ops::linear({x, held, {}});
    EXPECT_EQ(store.reads, 0) << "nothing is read before it is needed";
    for (int i = 1; i <= 3; ++i) {
      EXPECT_TRUE(at::equal(ops::linear({x, stored, {}}), expected));
      EXPECT_EQ(store.reads, i);
      EXPECT_EQ(store.releases, i);
    }
    EXPECT_TRUE(at::equal(stored.weight(at::kFloat), store.values.to(at::kFloat)));
  }
}

TEST_P(StoredWeights, GiveTheConvolutionsOfHeldOnes) {
  const ops::ScopedForm forced(form());
  for (const auto& geometry : {ops::kSame3x3, ops::kHalve3x3}) {
    Store store(weight({40, 48, 3, 3}));
    const auto bias = at::randn({40});
    const auto x = at::randn({2, 32, 9, 7}).contiguous(at::MemoryFormat::ChannelsLast);
    const auto skip = at::randn({2, 16, 9, 7}).contiguous(at::MemoryFormat::ChannelsLast);
    const ops::ConvWeights held(store.values.to(at::kFloat), bias, geometry, 32);
    const ops::ConvWeights stored(store.tensor(), bias, geometry, 32);
    const auto expected = ops::conv2d({x, skip, held, {}, {}});
    const auto got = ops::conv2d({x, skip, stored, {}, {}});
    if (form() == "reference") {  // libtorch chooses its code by the layout of the weights
      EXPECT_LT((got - expected).abs().max().item<float>(), 1e-5 * expected.abs().max().item<float>());
    } else {
      EXPECT_TRUE(at::equal(got, expected));
    }
    EXPECT_EQ(store.reads, store.releases);
    EXPECT_EQ(store.reads, 1);
  }
}

std::vector<std::string> forms() {
  auto names = isa_forms();
  names.emplace_back("reference");
  return names;
}

INSTANTIATE_TEST_SUITE_P(FormsAndTypes, StoredWeights,
                         testing::Combine(testing::ValuesIn(forms()),
                                          testing::Values(at::kFloat, at::kHalf, at::kBFloat16)));

TEST(StoredWeight, IsHeldOnceItIsReplaced) {
  Store store(at::randn({8, 16}));
  ops::LinearWeights weights(store.tensor(), {});
  const auto x = at::randn({3, 16}), other = at::randn({4, 16});
  weights.assign_weight(other, 4);
  const auto whole = at::cat({store.values.narrow(0, 0, 4), other});
  EXPECT_LT((ops::linear({x, weights, {}}) - at::linear(x, whole)).abs().max().item<float>(), 1e-4);
  EXPECT_TRUE(at::equal(weights.weight(at::kFloat), whole));
  EXPECT_EQ(store.reads, 1) << "once for the rows that stay";
}

TEST(StoredWeight, IsPackedInMemoryOfTheDrawing) {
  Store store(at::randn({256, 256}));
  const ops::LinearWeights weights(store.tensor(), {});
  if (weights.kernels().isa == ops::Isa::none) GTEST_SKIP() << "this processor packs no weights";
  const ops::Arena arena;
  const ops::ScopedArena scope(&arena);
  ops::linear({at::randn({1, 256}), weights, {}});
  EXPECT_GE(arena.counts().peak, 256 * 256 * 4);
  EXPECT_EQ(arena.counts().live, 0);
}

}  // namespace
}  // namespace fresco::test
