// The attention that trains keeps queries, keys and values: the gradient computes weights again.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/attention/attention_gradient.h"
#include "fresco/ops/attention/flash_call.h"
#include "fresco/ops/gradient/record.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"
#include "fresco/ops/simd/isa.h"

namespace fresco::ops {
namespace {

struct Shape {
  const flash::GradientKernel* kernel;
  int64_t heads;
  bool causal;
};

std::vector<at::Tensor> backward(const Shape& shape, const BackwardCall& backward) {
  const auto& saved = backward.saved;
  const auto q = flash::dense_rows(saved[0]), k = flash::dense_rows(saved[1]), v = flash::dense_rows(saved[2]);
  const auto dy = flash::dense_rows(backward.dy);
  auto dq = empty(q.sizes(), q.options()), dk = empty(k.sizes(), k.options()), dv = empty(v.sizes(), v.options());
  const flash::GradientCall call{.call = flash::call_of(q, k, v, shape.heads, shape.causal),
                                 .dy = flash::matrix_of(dy),
                                 .dq = dq.mutable_data_ptr<float>(),
                                 .dk = dk.mutable_data_ptr<float>(),
                                 .dv = dv.mutable_data_ptr<float>()};
  const size_t bytes = shape.kernel->scratch_bytes(call.call);
  parallel_for(q.size(0) * shape.heads, bytes, [&](int64_t i, std::byte* scratch) {
    shape.kernel->head(call, {i / shape.heads, i % shape.heads}, scratch);
  });
  return {dq, dk, dv};
}

}  // namespace

bool trains(const AttentionCall& call) {
  if (current_isa() == Isa::none || call.q.numel() == 0 || call.k.numel() == 0) return false;
  return trains_on(call.q) && trains_on(call.k) && trains_on(call.v) && any_needs_gradient({call.q, call.k, call.v});
}

at::Tensor attention_trained(const AttentionCall& call) {
  const Shape shape{current_isa() >= Isa::avx512 ? &flash::kAvx512Gradient : &flash::kAvx2Gradient, call.heads,
                    call.causal};
  at::Tensor y;
  {
    const c10::NoGradGuard guard;
    y = attention_without_gradient(call);
  }
  return record("attention", std::move(y), {call.q, call.k, call.v}, {call.q, call.k, call.v},
                [shape](const BackwardCall& b) { return backward(shape, b); });
}

}  // namespace fresco::ops
