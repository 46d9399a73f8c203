#include "fresco/ops/attention/attention.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/attention/flash_call.h"
#include "fresco/ops/cost.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops {
namespace {

at::Tensor run(const flash::Kernel& kernel, const AttentionCall& call) {
  const auto q = flash::dense_rows(call.q), k = flash::dense_rows(call.k), v = flash::dense_rows(call.v);
  auto y = empty(q.sizes(), q.options());
  flash::Call heads = flash::call_of(q, k, v, call.heads, call.causal);
  heads.out = y.mutable_data_ptr<float>();
  const auto bytes = static_cast<int64_t>(kernel.packed_bytes(heads)) * heads.batch * heads.heads;
  const auto packed = empty({bytes}, q.options().dtype(at::kByte));
  flash::attend(kernel, heads, static_cast<std::byte*>(packed.mutable_data_ptr()));
  return y;
}

template <const flash::Kernel& kernel>
at::Tensor attention_flash(const AttentionCall& call) {
  return run(kernel, call);
}

template <Isa isa>
bool serves(const AttentionCall& call) {
  if (isa == Isa::avx512_bf16 && call.products != Products::bf16) return false;
  return serves_plain<isa>(call.q, call.k, call.v) && call.q.numel() > 0 && call.k.numel() > 0;
}

constexpr std::array<Form<AttentionCall, at::Tensor>, 5> kForms = {{
    {"trained", attention_trained, trains},
    {"avx512-bf16", attention_flash<flash::kAvx512Bf16>, serves<Isa::avx512_bf16>},
    {"avx512", attention_flash<flash::kAvx512>, serves<Isa::avx512>},
    {"avx2", attention_flash<flash::kAvx2>, serves<Isa::avx2>},
    {"reference", attention_reference, always<AttentionCall>},
}};

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
          .arithmetic = serves<Isa::avx512_bf16>(call) ? Arithmetic::bf16 : arithmetic_of(call.q)};
}

at::Tensor attention(const AttentionCall& call) { return dispatch("attention", kForms, call); }

at::Tensor attention_without_gradient(const AttentionCall& call) {
  for (const auto& form : kForms) {
    if (form.name != "trained" && form.serves(call)) return form.run(call);
  }
  return attention_reference(call);
}

at::Tensor attention_reference(const AttentionCall& call) {
  const auto y = at::scaled_dot_product_attention(split_heads(call.q, call.heads), split_heads(call.k, call.heads),
                                                  split_heads(call.v, call.heads), {}, 0.0, call.causal);
  return y.transpose(1, 2).reshape({call.q.size(0), call.q.size(1), call.q.size(2)});
}

}  // namespace fresco::ops
