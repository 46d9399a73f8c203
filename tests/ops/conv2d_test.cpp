#include "fresco/ops/conv2d/conv2d.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "fresco/ops/dispatch.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

struct Case {
  int64_t batch, in, skip, out, side, height, width;
  ops::ConvGeometry geometry;
  bool shift, residual;
};

at::Tensor pixels(at::IntArrayRef shape) { return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast); }

// Everything that one call takes.
struct Inputs {
  explicit Inputs(const Case& c)
      : x(pixels({c.batch, c.in, c.height, c.width})),
        skip(c.skip > 0 ? pixels({c.batch, c.skip, c.height, c.width}) : at::Tensor()),
        weight(at::randn({c.out, c.in + c.skip, c.side, c.side})),
        bias(at::randn({c.out})),
        split(c.skip > 0 ? c.in : 0) {}
  ops::ConvWeights weights(const ops::ConvGeometry& geometry) const { return {weight, bias, geometry, split}; }
  at::Tensor x, skip, weight, bias;
  int64_t split;
};

class Conv2d : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  const std::string& form() const { return std::get<0>(GetParam()); }
  const Case& shape() const { return std::get<1>(GetParam()); }
};

// At most 9 * 130 products of unit variance in another order: error about 2^-24 * sqrt(1170) of a result's deviation, for Winograd's 4x4
// tiles some ten times that; 2e-5 of the largest leaves room.
TEST_P(Conv2d, EveryFormAgreesWithTheDefinition) {
  const Case& c = shape();
  at::manual_seed(c.in + c.height);
  const Inputs in(c);
  const auto plain = [&] {
    const ops::ScopedForm reference("reference");
    return in.weights(c.geometry);
  };
  const auto bare = ops::conv2d_reference({in.x, in.skip, plain(), {}, {}});
  const auto shift = c.shift ? at::randn({c.batch, c.out}) : at::Tensor();
  const auto residual = c.residual ? pixels(bare.sizes()) : at::Tensor();
  const auto expected = ops::conv2d_reference({in.x, in.skip, plain(), shift, residual});
  const ops::ScopedForm forced(form());
  const auto packed = in.weights(c.geometry);
  const ops::FormRecorder recorder;
  const auto got = ops::conv2d({in.x, in.skip, packed, shift, residual});
  EXPECT_EQ(recorder.counts().count("conv2d/" + float_form(form())), 1u);
  ASSERT_EQ(got.sizes(), expected.sizes());
  EXPECT_LT((got - expected).abs().max().item<float>(), 2e-5 * expected.abs().max().item<float>());
  EXPECT_TRUE(at::equal(packed.weight(at::kFloat), in.weight)) << "packed weights come back as they were";
}

TEST_P(Conv2d, NeitherThreadsNorNeighboursChangeASample) {
  const Case& c = shape();
  if (form() == "onednn") GTEST_SKIP() << "oneDNN promises no such thing";
  const Inputs in(c);
  const ops::ScopedForm forced(form());
  const auto weights = in.weights(c.geometry);
  const auto whole = ops::conv2d({in.x, in.skip, weights, {}, {}});
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 3 : 1);
  const auto skip = in.skip.defined() ? in.skip.narrow(0, 0, 1) : at::Tensor();
  const auto first = ops::conv2d({in.x.narrow(0, 0, 1), skip, weights, {}, {}});
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(whole.narrow(0, 0, 1), first));
}

// bfloat16 keeps 8 bits: rounding one factor errs by up to 2^-8 of it, evenly, so both by 2^-8 * sqrt(2 / 3) * 0.7 = 0.23 % of results (root
// mean squares). Winograd's 4x4 tiles make that 4.2 times as much (see Tile4): 1 %; 1.5 % leaves room for small pictures.
TEST_P(Conv2d, NarrowProductsStayNear) {
  const Case& c = shape();
  if (!is_narrow(form())) GTEST_SKIP() << "this form has none";
  at::manual_seed(c.in + c.height);
  const Inputs in(c);
  const auto expected = ops::conv2d_reference({in.x, in.skip, in.weights(c.geometry), {}, {}});
  const ops::ScopedForm forced(form(), ops::Products::bf16);
  const ops::FormRecorder recorder;
  const auto packed = in.weights(c.geometry);
  const auto got = ops::conv2d({in.x, in.skip, packed, {}, {}});
  const std::string ran = packed.layout() == ops::Layout::winograd ? "avx512-bf16" : form();  // no Winograd's on tiles
  EXPECT_EQ(recorder.counts().count("conv2d/" + ran), 1u);
  const double apart = (got - expected).norm().item<double>() / expected.norm().item<double>();
  EXPECT_LT(apart, 0.015);
  EXPECT_GT(apart, 1e-5) << "these are not bfloat16 products";
}

std::vector<std::string> all_forms() {
  auto forms = isa_forms();
  forms.emplace_back("onednn");
  return forms;
}

// Sizes on both sides of tiles (4x4 and 2x2 pixels), panels (16 and 32 outputs), vectors and blocks of tiles; odd sides; one pixel.
INSTANTIATE_TEST_SUITE_P(
    Shapes, Conv2d,
    testing::Combine(testing::ValuesIn(all_forms()),
                     testing::Values(Case{1, 4, 0, 32, 3, 8, 8, ops::kSame3x3, false, false},
                                     Case{2, 32, 0, 33, 3, 7, 5, ops::kSame3x3, true, true},
                                     Case{3, 48, 48, 32, 1, 6, 6, ops::kPointwise, false, true},
                                     Case{1, 64, 0, 64, 3, 15, 13, ops::kHalve3x3, false, false},
                                     Case{2, 16, 0, 16, 3, 16, 14, ops::kHalveBottomRight, false, false},
                                     Case{5, 17, 0, 3, 3, 1, 1, ops::kSame3x3, true, false},
                                     Case{2, 64, 32, 70, 3, 9, 12, ops::kSame3x3, true, true},
                                     Case{1, 20, 12, 16, 3, 5, 6, ops::kSame3x3, true, true},
                                     Case{3, 67, 0, 129, 3, 11, 4, ops::kSame3x3, false, true},
                                     Case{4, 33, 0, 31, 3, 33, 35, ops::kSame3x3, true, false},
                                     Case{1, 16, 0, 5, 3, 66, 70, ops::kSame3x3, false, false},
                                     Case{1, 65, 0, 130, 3, 24, 29, ops::kSame3x3, true, false},
                                     Case{2, 97, 33, 36, 3, 33, 36, ops::kSame3x3, true, true},
                                     Case{5, 130, 0, 257, 1, 3, 9, ops::kPointwise, true, false})));

// A doubled picture goes through other small kernels; the same bound as above.
TEST(Conv2dDoubled, EveryFormAgreesWithTheDefinition) {
  for (const std::string& form : all_forms()) {
    for (const auto& [batch, in, out, height, width] : std::vector<std::array<int64_t, 5>>{{1, 16, 16, 1, 1},
                                                                                           {2, 32, 40, 5, 7},
                                                                                           {3, 48, 33, 8, 4},
                                                                                           {1, 4, 8, 3, 3},
                                                                                           {1, 64, 160, 17, 30},
                                                                                           {1, 70, 20, 50, 48}}) {
      const auto x = pixels({batch, in, height, width}), weight = at::randn({out, in, 3, 3}), bias = at::randn({out});
      const auto expected = at::conv2d(at::upsample_nearest2d(x, {2 * height, 2 * width}), weight, bias, 1, 1);
      const ops::ScopedForm forced(form);
      const ops::ConvWeights weights(weight, bias, ops::kSame3x3);
      const auto got = ops::conv2d({x, {}, weights, {}, {}, /*doubled=*/true});
      ASSERT_EQ(got.sizes(), expected.sizes());
      EXPECT_LT((got - expected).abs().max().item<float>(), 2e-5 * expected.abs().max().item<float>()) << form;
    }
  }
}

TEST(ConvWeights, ASingleTensorIsPackedAnew) {
  for (const std::string& form : all_forms()) {
    const ops::ScopedForm forced(form);
    const auto first = at::randn({8, 16, 3, 3}), second = at::randn({8, 16, 3, 3});
    const auto x = pixels({1, 16, 4, 4});
    ops::ConvWeights weights(first, at::zeros({8}), ops::kSame3x3);
    ops::conv2d({x, {}, weights, {}, {}});
    weights.assign_weight(second);
    const auto got = ops::conv2d({x, {}, weights, {}, {}});
    EXPECT_LT((got - at::conv2d(x, second, {}, 1, 1)).abs().max().item<float>(), 1e-3) << form;
    EXPECT_TRUE(at::equal(weights.weight(at::kFloat), second)) << form;
  }
}

TEST(ConvWeights, HalvesAreConvertedExactly) {
  const auto weight = at::randn({40, 32, 3, 3}).to(at::kHalf), bias = at::randn({40});
  const auto x = pixels({2, 32, 9, 9});
  for (const std::string& form : isa_forms()) {
    const ops::ScopedForm forced(form);
    const ops::ConvWeights narrow(weight, bias, ops::kSame3x3), wide(weight.to(at::kFloat), bias, ops::kSame3x3);
    EXPECT_TRUE(at::equal(ops::conv2d({x, {}, narrow, {}, {}}), ops::conv2d({x, {}, wide, {}, {}}))) << form;
    EXPECT_EQ(narrow.packed().data.scalar_type(), at::kHalf);
  }
}

}  // namespace
}  // namespace fresco::test
