// Pictures of the model that comes with fresco: how far each form and precision is from the definition in float32, and what must not change
// them at all.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fresco/core/error.h"
#include "fresco/ops/dispatch.h"
#include "fresco/pipeline/model.h"
#include "tests/ops/forms.h"

namespace fresco::test {
namespace {

using pipeline::DrawRequest;
using pipeline::Model;

Model starter(const std::string& ops, Precision precision = Precision::f32) {
  pipeline::LoadOptions options;
  options.files.model = FRESCO_SOURCE_DIR "/models/starter-128";
  options.ops = ops;
  options.precision = precision;
  return Model::load(options);
}

DrawRequest request() {
  DrawRequest request;
  request.prompts = {"a large blue star on a yellow background", "a small red circle left of a green square"};
  request.seed = 11;
  return request;
}

const pipeline::Values& exact() {
  static const pipeline::Values values = starter("reference").draw(request()).image;
  return values;
}

// Peak signal-to-noise ratio in dB of pictures in -1..1.
double psnr(const pipeline::Values& a, const pipeline::Values& b) {
  double sum = 0;
  for (size_t i = 0; i < a.data.size(); ++i) {
    const double apart = std::clamp(a.data[i], -1.0f, 1.0f) - std::clamp(b.data[i], -1.0f, 1.0f);
    sum += apart * apart / static_cast<double>(a.data.size());
  }
  return 10 * std::log10(4 / std::max(sum, 1e-30));
}

TEST(Precision, EveryFormInFloat32IsThePicture) {
  for (const std::string& form : isa_forms()) {
    const double far = psnr(starter(form).draw(request()).image, exact());
    RecordProperty(form, std::to_string(far));
    EXPECT_GE(far, 55) << form;
  }
}

// What the program tells people of a precision.
void expect_as_told(Precision precision, double least, double tolerance) {
  const auto model = starter("auto", precision);
  ASSERT_EQ(model.precision(), precision);
  ASSERT_TRUE(model.measured_psnr());
  const double far = psnr(model.draw(request()).image, exact());
  ::testing::Test::RecordProperty(std::string(name(precision)), std::to_string(far));
  EXPECT_GE(far, least) << name(precision);
  EXPECT_NEAR(far, *model.measured_psnr(), tolerance) << name(precision);
}

TEST(Precision, NarrowProductsStayNearThePictureAsTheProgramTells) {
  if (ops::native_isa() < ops::Isa::avx512_bf16) GTEST_SKIP() << "this processor has no narrow products";
  // dB: the same numbers are rounded everywhere, only sums are taken in another order on another processor.
  constexpr double kTolerance = 2;
  expect_as_told(Precision::bf16, 35, kTolerance);
  expect_as_told(Precision::int8, 27, kTolerance);
}

// dB: libtorch's kernels differ from processor to processor in what they keep in float32.
TEST(Precision, HalfIsAsFarFromThePictureAsTheProgramTells) { expect_as_told(Precision::f16, 35, 6); }

TEST(Precision, NothingIsToldOfTheExactPictureOrOfFormsThatWereNotMeasured) {
  EXPECT_FALSE(starter("auto").measured_psnr());
  EXPECT_FALSE(starter("reference", Precision::bf16).measured_psnr());
}

TEST(Precision, NeitherThreadsNorBatchesChangeAByte) {
  std::vector<std::pair<std::string, Precision>> cases;
  for (const std::string& form : isa_forms()) cases.emplace_back(form, Precision::f32);
  if (ops::native_isa() >= ops::Isa::avx512_bf16) {
    cases.emplace_back("auto", Precision::bf16);
    cases.emplace_back("auto", Precision::int8);
  }
  const int threads = at::get_num_threads();
  for (const auto& [form, precision] : cases) {
    const auto model = starter(form, precision);
    auto alone = request();
    alone.batch = 1;
    alone.steps = 4;
    auto together = alone;
    together.batch = 2;
    const auto first = model.draw(alone).image.data;
    at::set_num_threads(threads == 1 ? 3 : 1);
    const auto second = model.draw(together).image.data;
    at::set_num_threads(threads);
    EXPECT_EQ(first, second) << form << " " << name(precision);
  }
}

TEST(Precision, FastIsTheNarrowestThatRuns) {
  const bool narrow = ops::native_isa() >= ops::Isa::avx512_bf16;
  auto short_request = request();
  short_request.steps = 2;
  const auto expected = starter("auto", narrow ? Precision::int8 : Precision::f32).draw(short_request).image.data;
  EXPECT_EQ(starter("auto", Precision::fast).draw(short_request).image.data, expected);
  EXPECT_EQ(starter("avx2", Precision::fast).draw(short_request).image.data,
            starter("avx2", Precision::f32).draw(short_request).image.data);
}

TEST(Precision, WhatTheMachineLacksIsRefusedWithWhatItHas) {
  try {
    starter("avx2", Precision::bf16);
    FAIL() << "AVX2 has no bfloat16 products";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("f32"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fresco::test
