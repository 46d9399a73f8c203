#include <ATen/ATen.h>

#include "fresco/ops/conv2d/conv2d.h"

namespace fresco::ops {

at::Tensor conv2d_reference(const Conv2dCall& call) {
  const ConvGeometry& g = call.weights.geometry();
  auto x = call.skip.defined() ? at::cat({call.x, call.skip}, 1) : call.x;
  const bool even = g.top == g.bottom && g.left == g.right;
  if (!even) x = at::constant_pad_nd(x, {g.left, g.right, g.top, g.bottom});
  const std::array<int64_t, 2> stride{g.stride, g.stride}, padding{even ? g.top : 0, even ? g.left : 0};
  auto y = at::conv2d(x, call.weights.weight(x.scalar_type()), call.weights.bias(), stride, padding);
  if (call.shift.defined()) y = y + call.shift.unsqueeze(-1).unsqueeze(-1);
  if (call.residual.defined()) y = y + call.residual;
  return y;
}

}  // namespace fresco::ops
