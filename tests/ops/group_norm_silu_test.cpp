#include "fresco/ops/group_norm_silu/group_norm_silu.h"

#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t batch, channels, skip, height, width, groups;
  bool silu;
};

class GroupNormSilu : public testing::TestWithParam<Case> {};

// Statistics are summed in float32 over at most 512 rows at a time, about each channel's first value, then in float64: relative error under
// 2^-24 * 512 of a sum of squares, half of it in the deviation. exp has an error of a few units in the last place. 2e-5 of the largest value holds both.
TEST_P(GroupNormSilu, EveryFormAgreesWithTheDefinition) {
  const Case& c = GetParam();
  at::manual_seed(c.channels + c.height);
  const auto x =
      at::randn({c.batch, c.channels, c.height, c.width}).mul(3).add(10).contiguous(at::MemoryFormat::ChannelsLast);
  const auto skip = c.skip > 0
                        ? at::randn({c.batch, c.skip, c.height, c.width}).contiguous(at::MemoryFormat::ChannelsLast)
                        : at::Tensor();
  const auto weight = at::randn({c.channels + c.skip}), bias = at::randn({c.channels + c.skip});
  const ops::GroupNormCall call{x, skip, weight, bias, c.groups, 1e-5, c.silu};
  // In float64: where a group is a single value the definition in float32 is itself the less exact of the two.
  const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
  const auto x64 = wide(x), skip64 = wide(skip), weight64 = wide(weight), bias64 = wide(bias);
  const auto expected = ops::group_norm_silu_reference({x64, skip64, weight64, bias64, c.groups, 1e-5, c.silu});
  const auto got = ops::group_norm_silu_simd(call);
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_LT((got - expected).abs().max().item<double>(), 2e-5 * expected.abs().max().item<double>());
}

INSTANTIATE_TEST_SUITE_P(Shapes, GroupNormSilu,
                         testing::Values(Case{1, 32, 0, 1, 1, 32, true}, Case{2, 320, 320, 7, 7, 32, true},
                                         Case{1, 1280, 640, 4, 4, 32, true}, Case{5, 96, 0, 33, 31, 32, false},
                                         Case{2, 33, 6, 3, 5, 3, true}, Case{1, 64, 0, 64, 9, 4, false},
                                         Case{3, 17, 0, 23, 23, 1, true}, Case{1, 4, 0, 40, 40, 2, true}));

TEST(GroupNormSiluForms, AFormIsForcedOnlyWhileAsked) {
  const auto x = at::randn({1, 32, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto ones = at::ones({32});
  ops::FormRecorder recorder;
  ops::group_norm_silu({x, {}, ones, ones});
  {
    const ops::ScopedForm form("reference");
    ops::group_norm_silu({x, {}, ones, ones});
  }
  ops::group_norm_silu({x, {}, ones, ones});
  EXPECT_EQ(recorder.counts().at("group_norm_silu/simd"), 2);
  EXPECT_EQ(recorder.counts().at("group_norm_silu/reference"), 1);
}

TEST(GroupNormSiluForms, ATensorThatNeedsAGradientIsServedByTheDefinition) {
  const auto x = at::randn({1, 32, 4, 4}).requires_grad_();
  const auto ones = at::ones({32});
  ops::FormRecorder recorder;
  ops::group_norm_silu({x, {}, ones, ones});
  EXPECT_EQ(recorder.counts().at("group_norm_silu/reference"), 1);
}

}  // namespace
}  // namespace fresco::test
