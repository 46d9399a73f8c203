// oneDNN's convolution through libtorch's own operators, with weights reordered once instead of at every call.
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include "fresco/ops/conv2d/conv2d.h"

namespace fresco::ops {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Convolution = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, at::IntArrayRef,
                               at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view, Scalars,
                               std::optional<std::string_view>);
// First argument: accumulated into and returned.
using Accumulate = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                               at::IntArrayRef, at::IntArrayRef, at::IntArrayRef, int64_t, std::string_view,
                               std::optional<at::Scalar>, std::optional<std::string_view>, Scalars,
                               std::optional<std::string_view>);

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name, const char* overload) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

struct Arguments {
  std::array<int64_t, 2> padding, stride, dilation{1, 1};
};

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Arguments& a) {
  static const auto op = find<Convolution>("mkldnn::_convolution_pointwise", "");
  return op.call(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, a.padding, a.stride, a.dilation, 1,
                 "none", Scalars(), std::nullopt);
}

void accumulate(at::Tensor& y, const at::Tensor& x, const at::Tensor& weight, const Arguments& a) {
  static const auto op = find<Accumulate>("mkldnn::_convolution_pointwise_", "binary");
  op.call(y, x, weight, std::nullopt, a.padding, a.stride, a.dilation, 1, "add", std::nullopt, std::nullopt, Scalars(),
          std::nullopt);
}

}  // namespace

at::Tensor pack_onednn(const at::Tensor& weight, const ConvGeometry& geometry) {
  return at::mkldnn_reorder_conv2d_weight(weight.contiguous().to_mkldnn(), {geometry.top, geometry.left},
                                          {geometry.stride, geometry.stride}, {1, 1}, 1);
}

at::Tensor conv2d_onednn(const Conv2dCall& call) {
  if (call.doubled) {
    const auto x = doubled(call.x);
    return conv2d_onednn({x, call.skip, call.weights, call.shift, call.residual});
  }
  const ConvGeometry& g = call.weights.geometry();
  const bool even = g.top == g.bottom && g.left == g.right;
  const auto channels_last = at::MemoryFormat::ChannelsLast;
  auto x = even ? call.x.contiguous(channels_last)
                : at::constant_pad_nd(call.x, {g.left, g.right, g.top, g.bottom}).contiguous(channels_last);
  const Arguments a{.padding = even ? std::array{g.top, g.left} : std::array<int64_t, 2>{0, 0},
                    .stride = {g.stride, g.stride}};
  const auto& packed = call.weights.packed_onednn();
  at::Tensor y;
  if (call.skip.defined() && !packed[1].defined()) x = at::cat({x, call.skip}, 1);
  y = convolve(x, packed[0], call.weights.bias(), a);
  if (packed[1].defined()) accumulate(y, call.skip.contiguous(channels_last), packed[1], a);
  if (call.shift.defined()) y.add_(call.shift.unsqueeze(-1).unsqueeze(-1));
  if (call.residual.defined()) y.add_(call.residual);
  return y;
}

}  // namespace fresco::ops
