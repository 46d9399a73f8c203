// Products on tiles (AMX): on processors that have them by themselves, on others with AVX-512 BF16 in an emulator, from the same machine
// code.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <optional>

#include "fresco/core/error.h"
#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/linear/linear.h"
#include "tests/ops/forms.h"
#include "tests/ops/tile_emulator.h"

namespace fresco::test {
namespace {

using ops::Isa;
using ops::Products;

// Makes tiles run here, one way or the other; counts what was emulated.
class Tiles : public testing::Test {
 protected:
  void SetUp() override {
    if (ops::native_isa() < Isa::avx512_bf16) GTEST_SKIP() << "the code around tiles needs AVX-512 BF16";
    if (ops::native_isa() == Isa::amx) return;
    emulator_.emplace();
    ops::pretend_native_isa(Isa::amx);
  }
  void TearDown() override {
    if (!emulator_) return;
    EXPECT_GT(TileEmulator::products(), before_) << "no product of tiles ran";
    ops::pretend_native_isa(Isa::avx512_bf16);
  }

 private:
  std::optional<TileEmulator> emulator_;
  long before_ = TileEmulator::products();
};

struct Case {
  int64_t rows, in, out;
  bool bias, residual, gated;
};

class TileProducts : public Tiles, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    Tiles::SetUp();
    const Case& c = GetParam();
    at::manual_seed(c.rows + c.in);
    x_ = at::randn({c.rows, c.in});
    weight_ = at::randn({c.out, c.in});
    if (c.bias) bias_ = at::randn({c.out});
    if (c.residual) residual_ = at::randn({c.rows, c.out});
  }
  at::Tensor run(const std::string& form, Products products) const { return run(form, products, x_, residual_); }
  at::Tensor run(const std::string& form, Products products, const at::Tensor& x, const at::Tensor& residual) const {
    const ops::ScopedForm forced(form, products);
    const ops::FormRecorder recorder;
    const auto y = ops::linear({x, ops::LinearWeights(weight_, bias_, GetParam().gated), residual});
    EXPECT_EQ(recorder.counts().count("linear/" + form), 1u);
    return y;
  }

  at::Tensor x_, weight_, bias_, residual_;
};

double apart(const at::Tensor& got, const at::Tensor& expected) {
  return (got - expected).abs().max().item<double>() / expected.abs().max().item<double>();
}

at::Tensor as_bfloat16(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); }

at::Tensor in_double(const at::Tensor& x) { return x.defined() ? x.to(at::kDouble) : x; }

// Rounded factors are multiplied exactly; up to 1700 sums in float32 err by 2^-24 * sqrt(1700) of a result's deviation.
TEST_P(TileProducts, OfBfloat16AreTheDefinitions) {
  const auto got = run("amx", Products::bf16);
  const ops::ScopedForm reference("reference");
  const ops::LinearWeights weights(as_bfloat16(weight_), in_double(bias_), GetParam().gated);
  EXPECT_LT(apart(got, ops::linear_reference({as_bfloat16(x_), weights, in_double(residual_)})), 1e-5);
}

// The same integers; where several cuts of the depth are added up, a compiler may round a product before it adds it or not.
TEST_P(TileProducts, Of8BitIntegersAreThoseOfVectors) {
  EXPECT_LE(apart(run("amx", Products::i8), run("avx512-bf16", Products::i8)), GetParam().in > 1536 ? 1e-6 : 0);
}

TEST_P(TileProducts, AreTheSameForARowAlone) {
  for (const auto products : {Products::bf16, Products::i8}) {
    const auto whole = on_threads(3, [&] { return run("amx", products, x_, {}); });
    const int64_t last = GetParam().rows - 1;
    const auto alone = on_threads(1, [&] { return run("amx", products, x_.narrow(0, last, 1), {}); });
    EXPECT_TRUE(at::equal(whole.narrow(0, last, 1), alone));
  }
}

// On both sides of 16 rows, of 16 columns (8 of GEGLU), of 32 bfloat16 or 64 bytes of depth, of the cuts of the depth (768 and 1536),
// of blocks of rows and of columns.
INSTANTIATE_TEST_SUITE_P(Shapes, TileProducts,
                         testing::Values(Case{1, 1, 1, true, false, false}, Case{15, 31, 15, true, true, false},
                                         Case{16, 32, 16, false, false, false}, Case{17, 33, 17, true, true, false},
                                         Case{31, 63, 31, false, true, false}, Case{32, 64, 32, true, false, false},
                                         Case{33, 65, 33, true, true, false}, Case{48, 96, 65, false, false, false},
                                         Case{129, 385, 97, true, true, false}, Case{145, 128, 700, true, false, false},
                                         Case{3, 769, 40, true, true, false}, Case{20, 1700, 48, false, true, false},
                                         Case{13, 64, 2, true, false, true}, Case{33, 100, 66, true, false, true},
                                         Case{47, 48, 128, false, false, true}));

struct Convolution {
  int64_t in, skip, out, side;
  ops::ConvGeometry geometry;
};

class TileConvolutions : public Tiles, public testing::WithParamInterface<Convolution> {};

TEST_P(TileConvolutions, AreTheDefinitions) {
  const Convolution& c = GetParam();
  const auto pixels = [](at::IntArrayRef shape) { return at::randn(shape).contiguous(at::MemoryFormat::ChannelsLast); };
  const auto x = pixels({2, c.in, 9, 7}), skip = c.skip > 0 ? pixels({2, c.skip, 9, 7}) : at::Tensor();
  const auto weight = at::randn({c.out, c.in + c.skip, c.side, c.side}), bias = at::randn({c.out});
  const auto shift = at::randn({2, c.out});
  const int64_t split = c.skip > 0 ? c.in : 0;
  const auto expected = [&] {
    const ops::ScopedForm reference("reference");
    const ops::ConvWeights weights(as_bfloat16(weight), in_double(bias), c.geometry, split);
    const auto rounded_skip = skip.defined() ? as_bfloat16(skip) : skip;
    return ops::conv2d_reference({as_bfloat16(x), rounded_skip, weights, in_double(shift), {}});
  }();
  const ops::ScopedForm forced("amx", Products::bf16);
  const ops::FormRecorder recorder;
  const auto got = ops::conv2d({x, skip, {weight, bias, c.geometry, split}, shift, {}});
  EXPECT_EQ(recorder.counts().count("conv2d/amx"), 1u);
  EXPECT_LT(apart(got, expected), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, TileConvolutions,
                         testing::Values(Convolution{4, 0, 32, 3, ops::kSame3x3},
                                         Convolution{40, 0, 33, 3, ops::kHalve3x3},
                                         Convolution{48, 17, 20, 1, ops::kPointwise},
                                         Convolution{130, 0, 70, 1, ops::kPointwise}));

TEST(BestIsa, TakesTilesWhereTheSystemAllowsThem) {
  using Set = InstructionSet;
  static int asked;
  asked = 0;
  const auto yes = [] { return ++asked > 0; };
  const auto no = [] { return ++asked < 0; };
  Processor here{.sets = {Set::avx2, Set::avx512, Set::avx512_vnni, Set::avx512_bf16}};
  EXPECT_EQ(ops::best_isa(here, yes), Isa::avx512_bf16);
  here.sets.push_back(Set::amx_bf16);
  EXPECT_EQ(ops::best_isa(here, yes), Isa::avx512_bf16) << "both kinds of tiles or none";
  EXPECT_EQ(asked, 0) << "nothing to ask for";
  here.sets.push_back(Set::amx_int8);
  EXPECT_EQ(ops::best_isa(here, yes), Isa::amx);
  EXPECT_EQ(ops::best_isa(here, no), Isa::avx512_bf16);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(ops::best_isa({.sets = {Set::avx2, Set::avx512}}, yes), Isa::avx512);
  EXPECT_EQ(ops::best_isa({.sets = {Set::avx2, Set::amx_bf16, Set::amx_int8}}, yes), Isa::avx2);
  EXPECT_EQ(ops::best_isa({}, yes), Isa::none);
}

TEST(TileForm, IsRefusedWhereTheProcessorHasNone) {
  if (ops::native_isa() == Isa::amx) GTEST_SKIP() << "this one has tiles";
  try {
    ops::check_form_name("amx");
    FAIL() << "not refused";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("what this processor can run"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fresco::test
