#include "fresco/ops/group_norm_silu/group_norm_silu.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"

namespace fresco::ops {
namespace {

bool plain_float(const at::Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kFloat && !needs_gradient(t); }

bool fits_simd(const GroupNormCall& call) {
  return plain_float(call.x) && (!call.skip.defined() || plain_float(call.skip)) && plain_float(call.weight);
}

constexpr std::array<Form<GroupNormCall, at::Tensor>, 2> kForms = {{
    {"simd", group_norm_silu_simd, fits_simd},
    {"reference", group_norm_silu_reference, always<GroupNormCall>},
}};

}  // namespace

at::Tensor group_norm_silu(const GroupNormCall& call) { return dispatch("group_norm_silu", kForms, call); }

at::Tensor group_norm_silu_reference(const GroupNormCall& call) {
  const auto joined = call.skip.defined() ? at::cat({call.x, call.skip}, 1) : call.x;
  const auto y = at::group_norm(joined, call.groups, call.weight, call.bias, call.eps);
  return call.silu ? at::silu(y) : y;
}

}  // namespace fresco::ops
