#include "fresco/ops/attention/attention.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"

namespace fresco::ops {
namespace {

constexpr std::array<Form<AttentionCall, at::Tensor>, 1> kForms = {
    {{"reference", attention_reference, always<AttentionCall>}}};

at::Tensor split_heads(const at::Tensor& x, int64_t heads) {  // [B, T, N*D] -> [B, N, T, D]
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

Cost cost(const AttentionCall& call) {
  const auto rows = static_cast<double>(call.q.size(1)), columns = static_cast<double>(call.k.size(1));
  const double scores = call.causal ? rows * (rows + 1) / 2 : rows * columns;  // a head's
  return {.flops = 4 * static_cast<double>(call.q.size(0) * call.q.size(2)) * scores,
          .bytes = 2 * bytes_of(call.q) + bytes_of(call.k) + bytes_of(call.v),
          .shape = fmt::format("{} over {}, {} heads", shape_text(call.q.sizes()), call.k.size(1), call.heads),
          .arithmetic = arithmetic_of(call.q)};
}

at::Tensor attention(const AttentionCall& call) { return dispatch("attention", kForms, call); }

at::Tensor attention_reference(const AttentionCall& call) {
  const auto y = at::scaled_dot_product_attention(split_heads(call.q, call.heads), split_heads(call.k, call.heads),
                                                  split_heads(call.v, call.heads), {}, 0.0, call.causal);
  return y.transpose(1, 2).reshape({call.q.size(0), call.q.size(1), call.q.size(2)});
}

}  // namespace fresco::ops
