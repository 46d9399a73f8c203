#pragma once
#include <ATen/core/Tensor.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/profile.h"

namespace fresco::ops {

/// y = softmax(q k^T / sqrt(D)) v per head (Vaswani et al. 2017); scores are never stored whole.
/// q [B, T, N*D]; k, v [B, S, N*D]; last dimension contiguous, rows at any distance: parts of one wider tensor are read in place. With
/// `causal`, token i sees tokens 0..i. Returns [B, T, N*D].
struct AttentionCall {
  const at::Tensor& q;
  const at::Tensor& k;
  const at::Tensor& v;
  int64_t heads = 1;
  bool causal = false;
  Products products = current_products();
};
Cost cost(const AttentionCall& call);
at::Tensor attention(const AttentionCall& call);
at::Tensor attention_reference(const AttentionCall& call);
/// By the fastest form in force here that sees no gradients.
at::Tensor attention_without_gradient(const AttentionCall& call);
/// With a gradient of its own, for tensors that want one.
at::Tensor attention_trained(const AttentionCall& call);
bool trains(const AttentionCall& call);

}  // namespace fresco::ops
