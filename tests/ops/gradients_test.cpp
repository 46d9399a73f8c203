// Forms that train, against the gradients of definitions in float64.
#include "tests/ops/gradients.h"

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"
#include "fresco/ops/layer_norm/layer_norm.h"
#include "fresco/ops/linear/linear.h"

namespace fresco::test {
namespace {

// Sums of up to some thousand products of unit variance in float32: 2^-24 times the square root of their number of a result's deviation,
// ten times that in Winograd's domain; 3e-5 of the largest leaves room.
constexpr double kFloat = 3e-5;
// bfloat16 keeps 8 bits: both factors' rounding makes 0.23 % of results' deviation (root mean squares), Winograd's 4x4 tiles 4.2 times that, for
// the weights' gradient over their own domain twice; see NarrowProductsStayNear for forward.
constexpr double kNarrow = 3e-2;

at::Tensor pixels(at::IntArrayRef shape) { return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast); }

struct ConvCase {
  std::string name;
  int64_t batch, in, skip, out, side, height, width;
  ops::ConvGeometry geometry = ops::kSame3x3;
  bool shift = false, residual = false, doubled = false;
};

const ConvCase kConvCases[] = {
    {"plain", 2, 32, 0, 32, 3, 16, 16},
    {"shifted, odd", 3, 33, 0, 47, 3, 7, 9, ops::kSame3x3, true, false},
    {"residual", 1, 64, 0, 80, 3, 8, 12, ops::kSame3x3, false, true},
    {"skip", 2, 32, 48, 40, 3, 5, 6, ops::kSame3x3, true, true},
    {"skip that splits a vector", 2, 20, 13, 24, 3, 5, 6},
    {"few inputs", 2, 4, 0, 32, 3, 8, 8},
    {"few outputs", 2, 40, 0, 4, 3, 9, 8},
    {"pointwise with skip", 4, 35, 30, 50, 1, 6, 5, ops::kPointwise},
    {"pointwise, one pixel", 5, 16, 0, 16, 1, 1, 1, ops::kPointwise},
    {"halving", 2, 33, 0, 34, 3, 9, 8, ops::kHalve3x3},
    {"halving below and right", 1, 20, 0, 24, 3, 8, 10, ops::kHalveBottomRight},
    {"doubled", 2, 32, 0, 36, 3, 5, 7, ops::kSame3x3, false, false, true},
    {"doubled, few channels", 1, 8, 0, 12, 3, 4, 4, ops::kSame3x3, false, false, true},
    {"one pixel", 1, 32, 0, 32, 3, 1, 1},
};

// x, skip, weight, bias, shift, residual
GradientCheck check_of(const ConvCase& c) {
  at::manual_seed(c.in + c.height);
  std::vector<at::Tensor> in(6);
  in[0] = pixels({c.batch, c.in, c.height, c.width});
  if (c.skip > 0) in[1] = pixels({c.batch, c.skip, c.height, c.width});
  in[2] = at::randn({c.out, c.in + c.skip, c.side, c.side}) / 8;
  if (c.height % 2 == 0) in[2] = in[2].contiguous(at::MemoryFormat::ChannelsLast);
  in[3] = at::randn({c.out});
  if (c.shift) in[4] = at::randn({c.batch, c.out});
  const auto f = [c](const std::vector<at::Tensor>& t) {
    const ops::ConvWeights weights(t[2], t[3], c.geometry, t[1].defined() ? c.in : 0);
    return ops::conv2d({t[0], t[1], weights, t[4], t[5], c.doubled});
  };
  if (c.residual) in[5] = pixels(f(in).sizes());
  return {"conv2d", f, in};
}

TEST(GradientsOfConv2d, AreThoseOfTheDefinition) {
  for (const ConvCase& c : kConvCases) {
    SCOPED_TRACE(c.name);
    const auto check = check_of(c);
    check.differences();
    for (const auto& isa : isa_forms()) {
      SCOPED_TRACE(isa);
      check.trained(isa, kFloat);
      if (is_narrow(isa)) check.trained(isa, kNarrow, ops::Products::bf16);
    }
  }
}

struct LinearCase {
  std::vector<int64_t> rows;
  int64_t in, out;
  bool bias, residual, gated;
};

const LinearCase kLinearCases[] = {
    {{2, 77}, 48, 96, true, true, false},  {{3, 5}, 33, 47, true, false, false}, {{1}, 17, 31, false, false, false},
    {{2, 64}, 32, 128, true, false, true}, {{5, 9}, 20, 34, true, false, true},  {{300}, 64, 32, false, true, false},
    {{2, 129}, 31, 33, true, true, false},
};

TEST(GradientsOfLinear, AreThoseOfTheDefinition) {
  for (const LinearCase& c : kLinearCases) {
    SCOPED_TRACE(testing::Message() << c.in << " to " << c.out << (c.gated ? " gated" : ""));
    at::manual_seed(c.in);
    auto shape = c.rows;
    shape.push_back(c.in);
    std::vector<at::Tensor> in{at::randn(shape), at::randn({c.out, c.in}) / 4, {}, {}};
    if (c.bias) in[2] = at::randn({c.out});
    shape.back() = c.out;
    if (c.residual) in[3] = at::randn(shape);
    const auto f = [c](const std::vector<at::Tensor>& t) {
      const ops::LinearWeights weights(t[1], t[2], c.gated);
      return ops::linear({t[0], weights, t[3]});
    };
    const GradientCheck check("linear", f, in);
    check.differences();
    for (const auto& isa : isa_forms()) {
      SCOPED_TRACE(isa);
      check.trained(isa, kFloat);
      if (is_narrow(isa)) check.trained(isa, kNarrow, ops::Products::bf16);
    }
  }
}

// Queries, keys and values in one wider tensor are read where they lie.
TEST(GradientsOfLinear, GoThroughPartsOfWiderTensors) {
  at::manual_seed(3);
  const auto f = [](const std::vector<at::Tensor>& t) {
    const ops::LinearWeights weights(t[1], {});
    return ops::linear({t[0].chunk(3, -1)[1], weights, {}});
  };
  const GradientCheck check("linear", f, {at::randn({2, 9, 3 * 24}), at::randn({40, 24})});
  for (const auto& isa : isa_forms()) check.trained(isa, kFloat);
}

struct NormCase {
  int64_t batch, channels, skip, groups, height, width;
  bool silu;
};

const NormCase kNormCases[] = {{2, 32, 0, 32, 8, 8, true},  {3, 40, 24, 32, 5, 7, true}, {1, 66, 0, 6, 3, 3, false},
                               {2, 17, 14, 31, 4, 4, true}, {1, 8, 0, 1, 40, 33, true},  {2, 96, 0, 4, 1, 2, false}};

// Sums of a group are of up to ten thousand values, kept in double from block to block.
TEST(GradientsOfGroupNorm, AreThoseOfTheDefinition) {
  for (const NormCase& c : kNormCases) {
    SCOPED_TRACE(testing::Message() << c.channels << "+" << c.skip << " channels of " << c.height << "x" << c.width);
    at::manual_seed(c.channels);
    const int64_t all = c.channels + c.skip;
    std::vector<at::Tensor> in{
        pixels({c.batch, c.channels, c.height, c.width}) + 2, {}, at::randn({all}), at::randn({all})};
    if (c.skip > 0) in[1] = pixels({c.batch, c.skip, c.height, c.width}) * 3;
    const auto f = [c](const std::vector<at::Tensor>& t) {
      return ops::group_norm_silu({t[0], t[1], t[2], t[3], c.groups, 1e-5, c.silu});
    };
    const GradientCheck check("group_norm_silu", f, in);
    check.differences();
    for (const auto& isa : vector_forms()) check.trained(isa, kFloat);
  }
}

TEST(GradientsOfLayerNorm, AreThoseOfTheDefinition) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 77, 64}, {5, 33}, {1, 700, 7}, {3, 1, 80}}) {
    SCOPED_TRACE(shape.back());
    at::manual_seed(shape.back());
    const auto f = [](const std::vector<at::Tensor>& t) { return ops::layer_norm({t[0], t[1], t[2]}); };
    const std::vector in{at::randn(shape) * 2 + 1, at::randn({shape.back()}), at::randn({shape.back()})};
    const GradientCheck check("layer_norm", f, in);
    check.differences();
    for (const auto& isa : vector_forms()) check.trained(isa, kFloat);
  }
}

struct AttentionCase {
  int64_t batch, queries, keys, heads, width;
  bool causal = false;
};

const AttentionCase kAttentionCases[] = {{2, 64, 77, 4, 8},    {1, 33, 5, 2, 40},        {3, 1, 17, 1, 16},
                                         {2, 100, 100, 3, 36}, {1, 77, 77, 2, 24, true}, {1, 20, 20, 1, 70, true}};

TEST(GradientsOfAttention, AreThoseOfTheDefinition) {
  for (const AttentionCase& c : kAttentionCases) {
    SCOPED_TRACE(testing::Message() << c.queries << " over " << c.keys << ", " << c.width
                                    << (c.causal ? " causal" : ""));
    at::manual_seed(c.queries);
    const auto f = [c](const std::vector<at::Tensor>& t) {
      return ops::attention({t[0], t[1], t[2], c.heads, c.causal});
    };
    const auto tokens = [&](int64_t n) { return at::randn({c.batch, n, c.heads * c.width}); };
    const GradientCheck check("attention", f, {tokens(c.queries), tokens(c.keys), tokens(c.keys)});
    check.differences();
    for (const auto& isa : isa_forms()) {
      SCOPED_TRACE(isa);
      check.trained(isa, kFloat);
    }
  }
}

// Queries, keys and values side by side, as one product gives them.
TEST(GradientsOfAttention, GoThroughPartsOfOneTensor) {
  at::manual_seed(5);
  const auto f = [](const std::vector<at::Tensor>& t) {
    const auto parts = t[0].chunk(3, -1);
    return ops::attention({parts[0], parts[1], parts[2], 2});
  };
  const GradientCheck check("attention", f, {at::randn({2, 19, 3 * 2 * 12})});
  for (const auto& isa : isa_forms()) check.trained(isa, kFloat);
}

TEST(GradientsOfGeglu, AreThoseOfTheDefinition) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 9, 64}, {3, 34}, {1, 300, 14}}) {
    const auto f = [](const std::vector<at::Tensor>& t) { return ops::geglu({t[0]}); };
    const GradientCheck check("geglu", f, {at::randn(shape) * 2});
    check.differences();
    for (const auto& isa : vector_forms()) check.trained(isa, kFloat);
  }
}

TEST(FormsThatTrain, AreNotTakenWhereTheDefinitionIsAskedForOrValuesAreDoubles) {
  const auto weight = at::randn({32, 32}).requires_grad_();
  const auto x = at::randn({4, 32});
  const ops::FormRecorder recorder;
  {
    const ops::ScopedForm reference("reference");
    ops::linear({x, ops::LinearWeights(weight, {}), {}});
  }
  const auto doubles = weight.detach().to(at::kDouble).requires_grad_();
  ops::linear({x.to(at::kDouble), ops::LinearWeights(doubles, {}), {}});
  EXPECT_EQ(recorder.counts().at("linear/reference"), 2);
  EXPECT_EQ(recorder.counts().count("linear/trained"), 0u);
}

// As where gradient checkpointing keeps a cell's inputs alone: the second pass must meet the values of the first.
void check_without_autograd(const std::string& form, const std::function<at::Tensor()>& op) {
  const auto y = op();
  EXPECT_TRUE(y.requires_grad()) << form;
  const ops::FormRecorder recorder;
  const c10::NoGradGuard guard;
  const auto alone = op();
  EXPECT_EQ(recorder.counts().count(form), ops::native_isa() == ops::Isa::none ? 0u : 1u) << form;
  EXPECT_FALSE(alone.requires_grad()) << form;
  EXPECT_TRUE(alone.equal(y.detach())) << form;
}

TEST(FormsThatTrain, ServeTrainedWeightsWithoutAutogradToo) {
  const auto rows = at::randn({4, 32}), weight = at::randn({32, 32}).requires_grad_();
  check_without_autograd("linear/trained", [&] { return ops::linear({rows, ops::LinearWeights(weight, {}), {}}); });
  const auto planes = pixels({2, 32, 9, 7});
  const auto kernels = at::randn({32, 32, 3, 3}).requires_grad_();
  check_without_autograd("conv2d/trained", [&] {
    return ops::conv2d({planes, {}, ops::ConvWeights(kernels, {}, ops::kSame3x3), {}, {}});
  });
}

TEST(FormsThatTrain, TellOfChangesBehindTheirBackAndOfSecondPasses) {
  const auto weight = at::randn({32, 32}).requires_grad_();
  auto x = at::randn({4, 32});
  const ops::LinearWeights weights(weight, {});
  auto y = ops::linear({x, weights, {}}).sum();
  x.add_(1);
  EXPECT_THROW(y.backward(), c10::Error);
  y = ops::linear({x, weights, {}}).sum();
  y.backward();
  EXPECT_THROW(y.backward(), c10::Error);
}

}  // namespace
}  // namespace fresco::test
