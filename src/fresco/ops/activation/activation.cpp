#include "fresco/ops/activation/activation.h"

#include <ATen/ATen.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

constexpr int64_t kBlock = 32 * 1024;  // values

template <const ActivationKernel& kernel>
at::Tensor fused(const ActivationCall& call) {
  const auto x = contiguous(call.x);
  auto y = empty(x.sizes(), x.options());
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  parallel_rows(x.numel(), kBlock,
                [&](int64_t first, int64_t count) { kernel.apply(from + first, count, call.function, to + first); });
  return y;
}

template <Isa isa>
bool serves(const ActivationCall& call) {
  return serves_plain<isa>(call.x);
}

constexpr std::array<Form<ActivationCall, at::Tensor>, 3> kForms = {{
    {"avx512", fused<kActivationAvx512>, serves<Isa::avx512>},
    {"avx2", fused<kActivationAvx2>, serves<Isa::avx2>},
    {"reference", activation_reference, always<ActivationCall>},
}};

}  // namespace

// An exponential counted as one.
Cost cost(const ActivationCall& call) { return elementwise_cost(call.x, call.function == Activation::gelu ? 5 : 4); }

at::Tensor activation(const ActivationCall& call) { return dispatch("activation", kForms, call); }

at::Tensor activation_reference(const ActivationCall& call) {
  switch (call.function) {
    case Activation::silu:
      return at::silu(call.x);
    case Activation::gelu:
      return at::gelu(call.x);
    case Activation::quick_gelu:
      break;
  }
  return call.x * at::sigmoid(1.702 * call.x);
}

}  // namespace fresco::ops
