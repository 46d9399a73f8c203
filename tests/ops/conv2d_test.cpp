#include "fresco/ops/conv2d/conv2d.h"

#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t batch, in, skip, out, side, height, width;
  ops::ConvGeometry geometry;
  bool shift, residual;
};

class Conv2d : public testing::TestWithParam<Case> {};

at::Tensor pixels(at::IntArrayRef shape) { return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast); }

// At most 9 * 96 products of unit variance in another order: error about 2^-24 * sqrt(864) of a result's deviation; 1e-5 leaves room.
TEST_P(Conv2d, EveryFormAgreesWithTheDefinition) {
  const Case& c = GetParam();
  at::manual_seed(c.in + c.height);
  const auto x = pixels({c.batch, c.in, c.height, c.width});
  const auto skip = c.skip > 0 ? pixels({c.batch, c.skip, c.height, c.width}) : at::Tensor();
  const auto weight = at::randn({c.out, c.in + c.skip, c.side, c.side}), bias = at::randn({c.out});
  const ops::ConvWeights packed(weight, bias, c.geometry, c.skip > 0 ? c.in : 0);
  const ops::ScopedForm form("reference");
  const ops::ConvWeights plain(weight, bias, c.geometry, c.skip > 0 ? c.in : 0);
  ASSERT_TRUE(packed.packs());
  ASSERT_FALSE(plain.packs());
  const auto bare = ops::conv2d_reference({x, skip, plain, {}, {}});
  const auto shift = c.shift ? at::randn({c.batch, c.out}) : at::Tensor();
  const auto residual = c.residual ? pixels(bare.sizes()) : at::Tensor();
  const auto expected = ops::conv2d_reference({x, skip, plain, shift, residual});
  const auto got = ops::conv2d_onednn({x, skip, packed, shift, residual});
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_LT((got - expected).abs().max().item<float>(), 1e-5 * expected.abs().max().item<float>());
  EXPECT_TRUE(at::equal(packed.weight(), weight)) << "packed weights come back as they were";
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2d,
                         testing::Values(Case{1, 4, 0, 32, 3, 8, 8, ops::kSame3x3, false, false},
                                         Case{2, 32, 0, 33, 3, 7, 5, ops::kSame3x3, true, true},
                                         Case{3, 48, 48, 32, 1, 6, 6, ops::kPointwise, false, false},
                                         Case{1, 64, 0, 64, 3, 15, 13, ops::kHalve3x3, false, false},
                                         Case{2, 16, 0, 16, 3, 16, 14, ops::kHalveBottomRight, false, false},
                                         Case{5, 17, 0, 3, 3, 1, 1, ops::kSame3x3, true, false}));

TEST(ConvWeights, ASingleTensorIsPackedAnew) {
  const auto first = at::randn({8, 8, 3, 3}), second = at::randn({8, 8, 3, 3});
  ops::ConvWeights weights(first, at::zeros({8}), ops::kSame3x3);
  weights.packed();
  weights.assign_weight(second);
  EXPECT_TRUE(at::equal(weights.weight(), second));
  EXPECT_TRUE(at::equal(weights.packed()[0].to_dense(), second));
}

}  // namespace
}  // namespace fresco::test
