#include "fresco/ops/group_norm_silu/group_norm_silu.h"

#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t batch, channels, skip, height, width, groups;
  bool silu;
};

struct Inputs {
  explicit Inputs(const Case& c)
      : x(at::randn({c.batch, c.channels, c.height, c.width})
              .mul(3)
              .add(10)
              .contiguous(at::MemoryFormat::ChannelsLast)),
        weight(at::randn({c.channels + c.skip})),
        bias(at::randn({c.channels + c.skip})) {
    if (c.skip > 0) skip = at::randn({c.batch, c.skip, c.height, c.width}).contiguous(at::MemoryFormat::ChannelsLast);
  }
  at::Tensor x, skip, weight, bias;
};

class GroupNormSilu : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  const std::string& form() const { return std::get<0>(GetParam()); }
  const Case& shape() const { return std::get<1>(GetParam()); }
};

// Statistics are summed in float32 over at most 512 rows at a time, about each channel's first value, then in float64: relative error under
// 2^-24 * 512 of a sum of squares, half of it in the deviation. exp has an error of a few units in the last place. 2e-5 of the largest
// value holds both.
TEST_P(GroupNormSilu, EveryFormAgreesWithTheDefinition) {
  const Case& c = shape();
  at::manual_seed(c.channels + c.height);
  const Inputs in(c);
  // In float64: where a group is a single value the definition in float32 is itself the less exact of the two.
  const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
  const auto x64 = wide(in.x), skip64 = wide(in.skip), weight64 = wide(in.weight), bias64 = wide(in.bias);
  const auto expected = ops::group_norm_silu_reference({x64, skip64, weight64, bias64, c.groups, 1e-5, c.silu});
  const ops::ScopedForm forced(form());
  const ops::FormRecorder recorder;
  const auto got = ops::group_norm_silu({in.x, in.skip, in.weight, in.bias, c.groups, 1e-5, c.silu});
  EXPECT_EQ(recorder.counts().count("group_norm_silu/" + form()), 1u);
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_TRUE(got.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_LT((got - expected).abs().max().item<double>(), 2e-5 * expected.abs().max().item<double>());
}

TEST_P(GroupNormSilu, NeitherThreadsNorNeighboursChangeASample) {
  const Case& c = shape();
  const Inputs in(c);
  const ops::ScopedForm forced(form());
  const auto run = [&](const at::Tensor& x, const at::Tensor& skip) {
    return ops::group_norm_silu({x, skip, in.weight, in.bias, c.groups, 1e-5, c.silu});
  };
  const auto whole = on_threads(3, [&] { return run(in.x, in.skip); });
  const int64_t last = c.batch - 1;
  const auto skip = in.skip.defined() ? in.skip.narrow(0, last, 1) : at::Tensor();
  const auto alone = on_threads(1, [&] { return run(in.x.narrow(0, last, 1), skip); });
  EXPECT_TRUE(at::equal(whole.narrow(0, last, 1), alone));
}

// Sizes on both sides of vectors (8 and 16 channels), of tiles of 4 and 8 of them, of blocks of 512 rows and of 256 KiB; groups that reach
// over both inputs; one pixel; odd sides.
INSTANTIATE_TEST_SUITE_P(
    Shapes, GroupNormSilu,
    testing::Combine(testing::ValuesIn(vector_forms()),
                     testing::Values(Case{1, 32, 0, 1, 1, 32, true}, Case{2, 320, 320, 7, 7, 32, true},
                                     Case{1, 1280, 640, 4, 4, 32, true}, Case{5, 96, 0, 33, 31, 32, false},
                                     Case{2, 33, 6, 3, 5, 3, true}, Case{1, 64, 0, 64, 9, 4, false},
                                     Case{3, 17, 0, 23, 23, 1, true}, Case{1, 4, 0, 40, 40, 2, true},
                                     Case{4, 200, 56, 16, 33, 8, true}, Case{2, 1280, 1280, 5, 11, 32, true})));

TEST(GroupNormSiluForms, AFormIsForcedOnlyWhileAsked) {
  if (vector_forms().empty()) GTEST_SKIP() << "only the definition runs here";
  const auto x = at::randn({1, 32, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto ones = at::ones({32});
  ops::FormRecorder recorder;
  ops::group_norm_silu({x, {}, ones, ones});
  {
    const ops::ScopedForm form("reference");
    ops::group_norm_silu({x, {}, ones, ones});
  }
  ops::group_norm_silu({x, {}, ones, ones});
  EXPECT_EQ(recorder.counts().at("group_norm_silu/" + vector_forms().front()), 2);
  EXPECT_EQ(recorder.counts().at("group_norm_silu/reference"), 1);
}

TEST(GroupNormSiluForms, ATensorThatNeedsAGradientIsServedByTheFormThatTrains) {
  if (vector_forms().empty()) GTEST_SKIP() << "only the definition runs here";
  const auto x = at::randn({1, 32, 4, 4}).requires_grad_();
  const auto ones = at::ones({32});
  ops::FormRecorder recorder;
  ops::group_norm_silu({x, {}, ones, ones});
  EXPECT_EQ(recorder.counts().at("group_norm_silu/trained"), 1);
}

TEST(GroupNormSiluForms, LargeActivationsDoNotOverflow) {
  const auto x = at::tensor({-1e4f, 1e4f}).repeat({1, 16, 8, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto weight = at::full({16}, 1e3f), bias = at::zeros({16});
  const auto expected = ops::group_norm_silu_reference({x, {}, weight, bias, 4});
  for (const auto& form : vector_forms()) {
    const ops::ScopedForm forced(form);
    const auto got = ops::group_norm_silu({x, {}, weight, bias, 4});
    EXPECT_TRUE(at::allclose(got, expected, 1e-6, 1e-6)) << form;
  }
}

}  // namespace
}  // namespace fresco::test
