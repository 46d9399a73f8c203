#include "fresco/ops/linear/linear.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t rows, in, out;
  bool bias, residual, gated;
};

class Linear : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  const std::string& form() const { return std::get<0>(GetParam()); }
  const Case& shape() const { return std::get<1>(GetParam()); }
};

struct Inputs {
  explicit Inputs(const Case& c)
      : x(at::randn({c.rows, c.in})),
        weight(at::randn({c.out, c.in})),
        bias(c.bias ? at::randn({c.out}) : at::Tensor()),
        residual(c.residual ? at::randn({c.rows, c.out}) : at::Tensor()),
        gated(c.gated) {}
  ops::LinearWeights weights() const { return {weight, bias, gated}; }
  at::Tensor x, weight, bias, residual;
  bool gated;
};

double apart(const at::Tensor& got, const at::Tensor& expected) {
  return (got - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

// Up to 1700 products of unit variance in another order: 2^-24 * sqrt(1700) of a result's deviation; 1e-5 leaves room.
TEST_P(Linear, EveryFormAgreesWithTheDefinition) {
  const Inputs in(shape());
  const ops::ScopedForm forced(form());
  const auto weights = in.weights();
  const ops::FormRecorder recorder;
  const auto got = ops::linear({in.x, weights, in.residual});
  EXPECT_EQ(recorder.counts().count("linear/" + float_form(form())), 1u);
  EXPECT_LT(apart(got, ops::linear_reference({in.x, weights, in.residual})), 1e-5);
  EXPECT_TRUE(at::equal(weights.weight(at::kFloat), in.weight)) << "packed weights come back as they were";
}

TEST_P(Linear, NeitherThreadsNorNeighboursChangeARow) {
  const Inputs in(shape());
  const ops::ScopedForm forced(form());
  const auto weights = in.weights();
  const auto whole = ops::linear({in.x, weights, {}});
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 3 : 1);
  const auto last = ops::linear({in.x.narrow(0, shape().rows - 1, 1), weights, {}});
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(whole.narrow(0, shape().rows - 1, 1), last));
}

double root_mean_square_apart(const at::Tensor& got, const at::Tensor& expected) {
  return (got - expected).norm().item<double>() / expected.norm().item<double>();
}

// 0.23 % of results (root mean squares, see NarrowProductsStayNear of conv2d), half more where value and gate are multiplied; 0.5 % leaves
// room for few results.
TEST_P(Linear, NarrowProductsStayNear) {
  if (!is_narrow(form())) GTEST_SKIP() << "this form has none";
  at::manual_seed(shape().in);
  const Inputs in(shape());
  const ops::ScopedForm forced(form(), ops::Products::bf16);
  const ops::FormRecorder recorder;
  const auto got = ops::linear({in.x, in.weights(), in.residual});
  EXPECT_EQ(recorder.counts().count("linear/" + form()), 1u);
  const ops::ScopedForm exact("reference", ops::Products::f32);
  EXPECT_LT(root_mean_square_apart(got, ops::linear_reference({in.x, in.weights(), in.residual})), 0.005);
}

// 8-bit steps of a row's and an output's largest value: of normal numbers a step is some 3 / 127 of their deviation, its rounding error
// a step over sqrt(12), for both factors together 1 %, root mean squares compared; gates and few results may double that.
TEST_P(Linear, EightBitProductsStayNear) {
  if (!is_narrow(form())) GTEST_SKIP() << "this form has none";
  at::manual_seed(shape().in);
  const Inputs in(shape());
  const ops::ScopedForm forced(form(), ops::Products::i8);
  const ops::FormRecorder recorder;
  const auto weights = in.weights();
  const auto got = ops::linear({in.x, weights, in.residual});
  EXPECT_EQ(recorder.counts().count("linear/" + form()), 1u);
  EXPECT_EQ(weights.packed().data.scalar_type(), at::kChar);
  EXPECT_LT(apart(weights.weight(at::kFloat), in.weight), 0.5 / 127 + 1e-6) << "packed weights come back rounded";
  const ops::ScopedForm exact("reference", ops::Products::f32);
  EXPECT_LT(root_mean_square_apart(got, ops::linear_reference({in.x, in.weights(), in.residual})), 0.02);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Linear,
    testing::Combine(testing::ValuesIn(isa_forms()),
                     testing::Values(Case{1, 1, 1, true, false, false}, Case{7, 33, 31, true, true, false},
                                     Case{15, 320, 64, false, false, false}, Case{129, 385, 257, true, true, false},
                                     Case{300, 1700, 48, false, true, false}, Case{2, 768, 33, true, false, false},
                                     Case{145, 769, 673, true, true, false}, Case{143, 384, 1290, false, false, true},
                                     Case{13, 64, 2, true, false, true}, Case{64, 100, 66, true, false, true},
                                     Case{131, 48, 512, false, false, true})));

TEST(LinearWeights, RowsOfAStackAreReplacedWhenPacked) {
  for (const std::string& form : isa_forms()) {
    const ops::ScopedForm forced(form);
    ops::LinearWeights weights(at::randn({30, 20}), at::randn({30}));
    const auto x = at::randn({3, 20}), part = at::randn({10, 20});
    ops::linear({x, weights, {}});
    weights.assign_weight(part, 10);
    EXPECT_TRUE(at::equal(weights.weight(at::kFloat).narrow(0, 10, 10), part));
    EXPECT_LT(apart(ops::linear({x, weights, {}}), ops::linear_reference({x, weights, {}})), 1e-5);
  }
}

TEST(LinearWeights, ChunksOfAWiderTensorAreReadInPlace) {
  const auto chunk = at::randn({2, 5, 96}).chunk(3, -1)[1];
  const ops::LinearWeights weights(at::randn({16, 32}), {});
  EXPECT_LT(apart(ops::linear({chunk, weights, {}}), ops::linear_reference({chunk, weights, {}})), 1e-5);
}

}  // namespace
}  // namespace fresco::test
