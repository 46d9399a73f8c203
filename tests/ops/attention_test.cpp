#include "fresco/ops/attention/attention.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fresco/ops/dispatch.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t batch, heads, queries, keys, width;
  bool causal = false;
};

struct Inputs {
  explicit Inputs(const Case& c)
      : q(at::randn({c.batch, c.queries, c.heads * c.width})),
        k(at::randn({c.batch, c.keys, c.heads * c.width})),
        v(at::randn({c.batch, c.keys, c.heads * c.width})) {}
  ops::AttentionCall call(const Case& c) const { return {q, k, v, c.heads, c.causal}; }
  at::Tensor q, k, v;
};

// The formula itself, in float64.
at::Tensor definition(const ops::AttentionCall& call) {
  const auto heads = [&](const at::Tensor& x) {
    return x.to(at::kDouble).unflatten(2, {call.heads, x.size(2) / call.heads}).transpose(1, 2);
  };
  const auto q = heads(call.q), k = heads(call.k), v = heads(call.v);
  auto scores = q.matmul(k.transpose(-1, -2)) / std::sqrt(static_cast<double>(q.size(-1)));
  if (call.causal) {
    const auto later = at::ones({q.size(-2), k.size(-2)}, at::kBool).triu(1);
    scores.masked_fill_(later, -std::numeric_limits<double>::infinity());
  }
  return scores.softmax(-1).matmul(v).transpose(1, 2).flatten(2);
}

double apart(const at::Tensor& got, const at::Tensor& expected) {
  return (got - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

class Attention : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  void SetUp() override { at::manual_seed(shape().keys + shape().width); }
  const std::string& form() const { return std::get<0>(GetParam()); }
  const Case& shape() const { return std::get<1>(GetParam()); }
};

// Scores have unit variance and a rounding error of 2^-24 * sqrt(D) (D to 512) at most about; powers of two are exact to 1.5e-7; sums
// of up to 140 terms follow one another. Each moves a weight by as much, and results are averages: 1e-5 of the largest leaves room.
TEST_P(Attention, EveryFormAgreesWithTheDefinition) {
  const Inputs in(shape());
  const ops::ScopedForm forced(form());
  const ops::FormRecorder recorder;
  const auto got = ops::attention(in.call(shape()));
  EXPECT_EQ(recorder.counts().count("attention/" + float_form(form())), 1u);
  ASSERT_EQ(got.sizes(), in.q.sizes());
  EXPECT_LT(apart(got, definition(in.call(shape()))), 1e-5);
}

TEST_P(Attention, NeitherThreadsNorBatchesNorOtherQueriesChangeAResult) {
  for (const auto products : {ops::Products::f32, ops::Products::bf16}) {
    const Inputs in(shape());
    const ops::ScopedForm forced(form(), products);
    const auto whole = ops::attention(in.call(shape()));
    const int threads = at::get_num_threads();
    at::set_num_threads(threads == 1 ? 3 : 1);
    EXPECT_TRUE(at::equal(whole, ops::attention(in.call(shape()))));
    const int64_t last = shape().batch - 1, query = shape().causal ? 0 : shape().queries / 2;
    const auto of_last = [&](const at::Tensor& x) { return x.narrow(0, last, 1); };
    const auto q = of_last(in.q).slice(1, query), k = of_last(in.k), v = of_last(in.v);
    const auto part = ops::attention({q, k, v, shape().heads, shape().causal});
    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(of_last(whole).slice(1, query), part));
  }
}

class NarrowAttention : public testing::TestWithParam<Case> {};

// q, k, v and weights each carry an error of 2^-9 of their size, so scores one of about 2^-9 * sqrt(2); few keys average none of it out.
// Results are compared with the largest, which may be half a value's size: 2^-9 * 8.
TEST_P(NarrowAttention, StaysNearTheDefinition) {
  if (ops::native_isa() < ops::Isa::avx512_bf16) GTEST_SKIP() << "not here";
  const Case& shape = GetParam();
  at::manual_seed(shape.keys + shape.width);
  const Inputs in(shape);
  const ops::ScopedForm narrow("auto", ops::Products::bf16);
  const ops::FormRecorder recorder;
  const auto got = ops::attention(in.call(shape));
  EXPECT_EQ(recorder.counts().count("attention/avx512-bf16"), 1u);
  EXPECT_LT(apart(got, definition(in.call(shape))), 1.0 / 64);
}

// Lanes are 8 or 16, panels 16 or 32 queries and 6 or 14 keys, blocks up to 140 keys, tasks 256 queries.
constexpr Case kCases[] = {{1, 1, 1, 1, 1},
                           {5, 2, 1, 77, 40},
                           {2, 8, 64, 64, 160},
                           {2, 3, 33, 77, 40},
                           {3, 2, 65, 141, 7},
                           {1, 3, 100, 31, 64},
                           {4, 1, 31, 127, 17},
                           {1, 1, 16, 300, 512},
                           {1, 1, 15, 282, 13},
                           {2, 2, 300, 561, 80},
                           {1, 5, 49, 1, 33},
                           {2, 12, 77, 77, 64, true},
                           {1, 2, 400, 400, 40, true},
                           {3, 1, 20, 50, 31, true},
                           {1, 2, 50, 20, 8, true}};
INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         testing::Combine(testing::ValuesIn(isa_forms()), testing::ValuesIn(kCases)));
INSTANTIATE_TEST_SUITE_P(Shapes, NarrowAttention, testing::ValuesIn(kCases));

class AttentionForms : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Forms, AttentionForms, testing::ValuesIn(isa_forms()));

TEST_P(AttentionForms, PartsOfAWiderTensorAreReadInPlace) {
  const ops::ScopedForm forced(GetParam());
  const auto parts = at::randn({2, 45, 3 * 80}).chunk(3, -1);
  const ops::AttentionCall call{parts[0], parts[1], parts[2], 2};
  EXPECT_LT(apart(ops::attention(call), definition(call)), 1e-5);
}

TEST_P(AttentionForms, AnyOrderInMemoryIsTaken) {
  const ops::ScopedForm forced(GetParam());
  const auto turned = at::randn({2, 48, 37}).transpose(1, 2);           // elements of a row apart
  const auto one_for_all = at::randn({1, 37, 48}).expand({2, 37, 48});  // samples in one place
  const ops::AttentionCall call{turned, one_for_all, turned, 3};
  EXPECT_LT(apart(ops::attention(call), definition(call)), 1e-5);
}

// The largest score grows from block to block, then falls by hundreds: sums are rescaled, old ones vanish. Scores up to 1000 are exact to
// 1000 * 2^-24 * a few, and so are weights.
TEST_P(AttentionForms, ScoresOfAnySizeAreWeighed) {
  const ops::ScopedForm forced(GetParam());
  const auto q = at::ones({1, 20, 16}), v = at::randn({1, 600, 16});
  const auto grow = at::linspace(-200, 250, 600).view({1, 600, 1}).expand({1, 600, 16}).contiguous();
  const auto fall = grow.flip(1);
  for (const auto& k : {grow, fall}) {
    const ops::AttentionCall call{q, k, v, 1};
    EXPECT_LT(apart(ops::attention(call), definition(call)), 1e-3);
  }
}

TEST_P(AttentionForms, WhatIsNoNumberStaysSo) {
  for (const auto products : {ops::Products::f32, ops::Products::bf16}) {
    const ops::ScopedForm forced(GetParam(), products);
    auto q = at::randn({1, 40, 32});
    const auto k = at::randn({1, 150, 32}), v = at::randn({1, 150, 32});
    q[0][17][3] = std::numeric_limits<float>::quiet_NaN();
    const auto bad = ops::attention({q, k, v, 2}).isnan().view({40, 2, 16});
    EXPECT_TRUE(bad[17][0].all().item<bool>());
    EXPECT_EQ(bad.sum().item<int64_t>(), 16) << "only that query of that head";
  }
}

TEST(AttentionChoice, BfloatProductsAreUsedOnlyWhereAsked) {
  const auto x = at::randn({1, 8, 16});
  const std::string best = isa_forms().empty() ? "reference" : isa_forms().front();
  const ops::FormRecorder recorder;
  ops::attention({x, x, x, 2});
  EXPECT_EQ(recorder.counts().count("attention/" + float_form(best)), 1u);
  ops::attention({x, x, x, 2, false, ops::Products::bf16});
  EXPECT_EQ(recorder.counts().count("attention/" + (is_narrow(best) ? "avx512-bf16" : best)), 1u);
  EXPECT_EQ(recorder.counts().count("attention/reference"), isa_forms().empty() ? 1u : 0u);
}

TEST(AttentionChoice, TheDefinitionServesOtherTypesWithGradientsToo) {
  const auto x = at::randn({1, 8, 16}), wide = x.to(at::kDouble);
  const auto needs = wide.clone().requires_grad_(), none = at::empty({0, 8, 16});
  const ops::FormRecorder recorder;
  EXPECT_TRUE(ops::attention({wide, needs, wide, 2}).requires_grad());
  ops::attention({wide, wide, wide, 2});
  EXPECT_EQ(ops::attention({none, none, none, 2}).numel(), 0);
  const ops::ScopedForm forced("reference");
  ops::attention({x, x, x, 2});
  EXPECT_EQ(recorder.counts().at("attention/reference"), 4);
  EXPECT_EQ(recorder.counts().size(), 1u);
}

}  // namespace
}  // namespace fresco::test
