#include "fresco/ops/attention/attention.h"

#include <ATen/ATen.h>

#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {

constexpr std::array<Form<AttentionCall, at::Tensor>, 1> kForms = {
    {{"reference", attention_reference, always<AttentionCall>}}};

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {  // [B, T, N*D] -> [B, N, T, D]
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

at::Tensor attention(const AttentionCall& call) { return dispatch("attention", kForms, call); }

at::Tensor attention_reference(const AttentionCall& call) {
  const auto y = at::scaled_dot_product_attention(split_heads(call.q, call.heads), split_heads(call.k, call.heads),
                                                  split_heads(call.v, call.heads), {}, 0.0, call.causal);
  return y.transpose(1, 2).reshape({call.q.size(0), call.q.size(1), call.q.size(2)});
}

}  // namespace fresco::ops
