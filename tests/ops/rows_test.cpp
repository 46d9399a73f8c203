// Operators that treat rows or values alone: layer_norm, geglu, activation.
#include <gtest/gtest.h>

#include "fresco/ops/activation/activation.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/layer_norm/layer_norm.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

class Rows : public testing::TestWithParam<std::tuple<std::string, std::vector<int64_t>>> {
 protected:
  const std::string& form() const { return std::get<0>(GetParam()); }
  const std::vector<int64_t>& shape() const { return std::get<1>(GetParam()); }
  int64_t channels() const { return shape().back(); }
};

double furthest(const at::Tensor& got, const at::Tensor& expected) {
  return (got - expected).abs().max().item<double>() / std::max(1e-30, expected.abs().max().item<double>());
}

// A mean of C values of size 10 is off by some 2^-24 * 10 * log C, and so is every result, at a deviation of 3; 5e-6 of the largest holds.
TEST_P(Rows, LayerNormAgreesWithItsDefinition) {
  at::manual_seed(channels());
  const auto x = at::randn(shape()).mul(3).add(10);
  const auto weight = at::randn({channels()}), bias = at::randn({channels()});
  const auto expected = ops::layer_norm_reference({x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble)});
  const ops::ScopedForm forced(form());
  const ops::FormRecorder recorder;
  const auto got = ops::layer_norm({x, weight, bias});
  EXPECT_EQ(recorder.counts().count("layer_norm/" + form()), 1u);
  ASSERT_EQ(got.sizes(), x.sizes());
  EXPECT_LT(furthest(got, expected), 5e-6);
}

// The error function is held to 2e-7, times a gate of at most 6 and half a value; the largest results are some 10.
TEST_P(Rows, GegluAgreesWithItsDefinition) {
  auto wide = shape();
  wide.back() *= 2;
  at::manual_seed(channels());
  const auto x = at::randn(wide).mul(2);
  const auto expected = ops::geglu_reference({x.to(at::kDouble)});
  const ops::ScopedForm forced(form());
  const ops::FormRecorder recorder;
  const auto got = ops::geglu({x});
  EXPECT_EQ(recorder.counts().count("geglu/" + form()), 1u);
  ASSERT_EQ(got.sizes(), at::IntArrayRef(shape()));
  EXPECT_LT((got - expected).abs().max().item<double>(), 2e-6 * std::max(1.0, expected.abs().max().item<double>()));
}

TEST_P(Rows, NeitherThreadsNorNeighboursChangeARow) {
  const auto x = at::randn(shape()), weight = at::randn({channels()});
  auto wide = shape();
  wide.back() *= 2;
  const auto gated = at::randn(wide);
  const ops::ScopedForm forced(form());
  const auto last = [](const at::Tensor& t) { return t.narrow(0, t.size(0) - 1, 1); };
  const auto normed = on_threads(3, [&] { return ops::layer_norm({x, weight, weight}); });
  const auto geglu = on_threads(3, [&] { return ops::geglu({gated}); });
  EXPECT_TRUE(at::equal(last(normed), on_threads(1, [&] { return ops::layer_norm({last(x), weight, weight}); })));
  EXPECT_TRUE(at::equal(last(geglu), on_threads(1, [&] { return ops::geglu({last(gated)}); })));
}

// Channels on both sides of vectors and of four of them; rows on both sides of blocks of 128 KiB; one row, one channel.
INSTANTIATE_TEST_SUITE_P(
    Shapes, Rows,
    testing::Combine(testing::ValuesIn(vector_forms()),
                     testing::Values(std::vector<int64_t>{1, 1, 320}, std::vector<int64_t>{2, 77, 768},
                                     std::vector<int64_t>{3, 103, 320}, std::vector<int64_t>{5, 26, 1280},
                                     std::vector<int64_t>{4, 5, 3, 17}, std::vector<int64_t>{2, 9, 1},
                                     std::vector<int64_t>{7, 15}, std::vector<int64_t>{2, 600, 67},
                                     std::vector<int64_t>{33, 129})));

using Function = ops::Activation;

class Activations : public testing::TestWithParam<std::tuple<std::string, Function>> {};

// The exponential is good to 2^-23, and to 2^-24 more for each power of two that it goes up or down; gelu's error function to 2e-7.
TEST_P(Activations, AgreeWithTheirDefinitions) {
  const auto& [form, function] = GetParam();
  for (const int64_t count : {1, 7, 8, 17, 32 * 1024 - 1, 70001}) {
    const auto x = count == 70001 ? at::linspace(-700, 700, count) : at::randn({count}).mul(3);
    const auto expected = ops::activation_reference({x.to(at::kDouble), function});
    const ops::ScopedForm forced(form);
    const ops::FormRecorder recorder;
    const auto got = on_threads(3, [&] { return ops::activation({x, function}); });
    EXPECT_EQ(recorder.counts().count("activation/" + form), 1u);
    EXPECT_LT(((got - expected).abs() / expected.abs().clamp_min(1)).max().item<double>(), 1e-6) << count;
    EXPECT_TRUE(at::equal(got, on_threads(1, [&] { return ops::activation({x, function}); })));
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, Activations,
                         testing::Combine(testing::ValuesIn(vector_forms()),
                                          testing::Values(Function::silu, Function::gelu, Function::quick_gelu)));

TEST(RowForms, StridedInputsAndGradientsAreServedToo) {
  if (vector_forms().empty()) GTEST_SKIP() << "only the definition runs here";
  const auto x = at::randn({4, 6, 32}).transpose(0, 1), ones = at::ones({32}), zeros = at::zeros({32});
  EXPECT_TRUE(at::allclose(ops::layer_norm({x, ones, zeros}), at::layer_norm(x, {32}), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(ops::geglu({x}), ops::geglu_reference({x}), 1e-5, 1e-5));
  const auto learned = at::randn({3, 32}).requires_grad_();
  const ops::FormRecorder recorder;
  EXPECT_TRUE(ops::layer_norm({learned, ones, zeros}).requires_grad());
  EXPECT_TRUE(ops::geglu({learned}).requires_grad());
  EXPECT_EQ(recorder.counts().at("layer_norm/trained") + recorder.counts().at("geglu/trained"), 2);
}

TEST(RowForms, AConstantRowIsItsBias) {
  const auto x = at::full({2, 100}, 3.0f), weight = at::randn({100}), bias = at::randn({100});
  EXPECT_TRUE(at::allclose(ops::layer_norm({x, weight, bias}), bias.expand({2, 100}), 1e-3, 1e-3));
}

}  // namespace
}  // namespace fresco::test
