#include <ATen/ATen.h>

#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops {

at::Tensor conv2d_reference(const Conv2dCall& call) {
  const ConvGeometry& g = call.weights.geometry();
  auto x = call.skip.defined() ? at::cat({call.x, call.skip}, 1) : call.doubled ? doubled(call.x) : call.x;
  const bool even = g.top == g.bottom && g.left == g.right;
  if (!even) x = at::constant_pad_nd(x, {g.left, g.right, g.top, g.bottom});
  const std::array<int64_t, 2> stride{g.stride, g.stride}, padding{even ? g.top : 0, even ? g.left : 0};
  auto y = at::conv2d(x, call.weights.weight(x.scalar_type()), like(call.weights.bias(), x), stride, padding);
  if (call.shift.defined()) y = y + call.shift.unsqueeze(-1).unsqueeze(-1);
  if (call.residual.defined()) y = y + call.residual;
  return y;
}

at::Tensor doubled(const at::Tensor& x) {
  if (needs_gradient(x)) return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
  auto y = empty({x.size(0), x.size(1), 2 * x.size(2), 2 * x.size(3)}, x.options(), x.suggest_memory_format());
  return at::upsample_nearest2d_out(y, x, {2 * x.size(2), 2 * x.size(3)});
}

}  // namespace fresco::ops
