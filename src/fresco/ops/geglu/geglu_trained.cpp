#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/geglu/geglu_kernel.h"
#include "fresco/ops/gradient/record.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {
namespace {

constexpr int64_t kBlockBytes = 128 * 1024;

std::vector<at::Tensor> backward(const GegluKernel& kernel, const BackwardCall& call) {
  const auto x = contiguous(call.saved[0]), dy = contiguous(call.dy);
  const int64_t channels = dy.size(-1);
  auto dx = empty(x.sizes(), x.options());
  const float *from = x.const_data_ptr<float>(), *above = dy.const_data_ptr<float>();
  float* to = dx.mutable_data_ptr<float>();
  parallel_rows(dy.numel() / channels, kBlockBytes / (8 * channels), [&](int64_t first, int64_t count) {
    const int64_t at = first * channels;
    kernel.gradient_rows(from + 2 * at, above + at, count, channels, to + 2 * at);
  });
  return {dx};
}

}  // namespace

bool trains(const GegluCall& call) {
  return current_isa() != Isa::none && call.x.numel() > 0 && trains_on(call.x) && any_needs_gradient({call.x});
}

at::Tensor geglu_trained(const GegluCall& call) {
  const GegluKernel& kernel = current_isa() >= Isa::avx512 ? kGegluAvx512 : kGegluAvx2;
  at::Tensor y;
  {
    const c10::NoGradGuard guard;
    y = geglu_fused(call, kernel);
  }
  return record("geglu", std::move(y), {call.x}, {call.x},
                [&kernel](const BackwardCall& b) { return backward(kernel, b); });
}

}  // namespace fresco::ops
