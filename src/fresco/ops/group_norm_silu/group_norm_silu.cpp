#include "fresco/ops/group_norm_silu/group_norm_silu.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/group_norm_silu/group_norm_kernel.h"

namespace fresco::ops {
namespace {

template <const GroupNormKernel& kernel>
at::Tensor fused(const GroupNormCall& call) {
  return group_norm_silu_fused(call, kernel);
}

template <Isa isa>
bool serves(const GroupNormCall& call) {
  return serves_plain<isa>(call.x, call.weight, call.bias) && (!call.skip.defined() || plain_float(call.skip));
}

constexpr std::array<Form<GroupNormCall, at::Tensor>, 4> kForms = {{
    {"trained", group_norm_silu_trained, trains},
    {"avx512", fused<kGroupNormAvx512>, serves<Isa::avx512>},
    {"avx2", fused<kGroupNormAvx2>, serves<Isa::avx2>},
    {"reference", group_norm_silu_reference, always<GroupNormCall>},
}};

}  // namespace

// Sum and squares 3, scale and offset 2; silu 4, its exponential counted as one.
Cost cost(const GroupNormCall& call) {
  const double elements = static_cast<double>(call.x.numel() + (call.skip.defined() ? call.skip.numel() : 0));
  const auto& x = call.x;
  return {.flops = elements * (call.silu ? 9 : 5),
          .bytes = 2 * (bytes_of(x) + bytes_of(call.skip)),
          .shape = fmt::format("{}x{}x{}x{}", x.size(0), call.weight.numel(), x.size(2), x.size(3))};
}

at::Tensor group_norm_silu(const GroupNormCall& call) { return dispatch("group_norm_silu", kForms, call); }

at::Tensor group_norm_silu_reference(const GroupNormCall& call) {
  const auto joined = call.skip.defined() ? at::cat({call.x, call.skip}, 1) : call.x;
  const auto y = at::group_norm(joined, call.groups, like(call.weight, joined), like(call.bias, joined), call.eps);
  return call.silu ? at::silu(y) : y;
}

}  // namespace fresco::ops
