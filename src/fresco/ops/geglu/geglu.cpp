#include "fresco/ops/geglu/geglu.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu_kernel.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

constexpr int64_t kBlockBytes = 128 * 1024;  // of x: a block and its results lie in a second-level cache

template <const GegluKernel& kernel>
at::Tensor fused(const GegluCall& call) {
  return geglu_fused(call, kernel);
}

template <Isa isa>
bool serves(const GegluCall& call) {
  return serves_plain<isa>(call.x);
}

constexpr std::array<Form<GegluCall, at::Tensor>, 4> kForms = {{
    {"trained", geglu_trained, trains},
    {"avx512", fused<kGegluAvx512>, serves<Isa::avx512>},
    {"avx2", fused<kGegluAvx2>, serves<Isa::avx2>},
    {"reference", geglu_reference, always<GegluCall>},
}};

}  // namespace

// gelu 5, its error function counted as one, and the product.
Cost cost(const GegluCall& call) {
  const double results = static_cast<double>(call.x.numel()) / 2;
  return {.flops = 6 * results, .bytes = 1.5 * bytes_of(call.x), .shape = shape_text(call.x.sizes())};
}

at::Tensor geglu(const GegluCall& call) { return dispatch("geglu", kForms, call); }

at::Tensor geglu_fused(const GegluCall& call, const GegluKernel& kernel) {
  const auto x = contiguous(call.x);
  auto shape = x.sizes().vec();
  const int64_t channels = shape.back() /= 2;
  auto y = empty(shape, x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  const int64_t rows = channels > 0 ? y.numel() / channels : 0;
  parallel_rows(rows, kBlockBytes / (8 * std::max<int64_t>(channels, 1)), [&](int64_t first, int64_t count) {
    kernel.gate_rows(from + first * 2 * channels, count, channels, to + first * channels);
  });
  return y;
}

at::Tensor geglu_reference(const GegluCall& call) {
  const auto halves = call.x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

}  // namespace fresco::ops
