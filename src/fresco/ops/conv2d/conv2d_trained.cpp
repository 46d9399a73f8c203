// The convolution that trains: forward by packed weights, which are packed anew for each pass since every step changes them; the gradient
// of the input is a convolution too, with the kernels turned about.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "fresco/ops/conv2d/convolve.h"
#include "fresco/ops/conv2d/winograd_gradient.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient/record.h"
#include "fresco/ops/gradient/unread.h"
#include "fresco/ops/memory/arena.h"

namespace fresco::ops {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// What the gradient needs to know of a call beside tensors.
struct Shape {
  KernelSet kernels;
  ConvGeometry geometry;
  int64_t channels = 0, skip_channels = 0;  // of both inputs
  bool doubled = false, has_bias = false, has_shift = false;
};

// Inputs in the order in which autograd gets their gradients.
enum Input : size_t { kX, kSkip, kWeight, kBias, kShift, kResidual, kInputs };

// Gradient of some input channels of a convolution with stride 1: dy convolved with kernels whose inputs and outputs change places and
// whose taps are turned about.
at::Tensor input_gradient(const Shape& shape, const at::Tensor& dy, const at::Tensor& weight,
                          const ChannelRange& range) {
  const int64_t outputs = weight.size(0), side = weight.size(2), last = side - 1;
  const ConvGeometry& g = shape.geometry;
  const ConvGeometry turned{1, last - g.top, last - g.left, last - g.bottom, last - g.right};
  const auto layout = layout_for({range.count, outputs, side, side}, turned, 0);
  const auto by = [&](const PackedWeights& packed) {
    return convolve({dy, {}, packed, shape.kernels, range.count, side, turned, {}, {}, {}});
  };
  const auto dx = can_pack_turned(weight, layout, shape.kernels)
                      ? by(pack_turned(weight, range, layout, shape.kernels))
                      : by(pack_for_pass(weight.narrow(1, range.first, range.count).flip({2, 3}).transpose(0, 1),
                                         layout, shape.kernels));
  if (!shape.doubled) return dx;
  return at::avg_pool2d(dx, {2, 2}).mul_(4);  // four pixels were one
}

// With a stride, by libtorch's own gradient: of both inputs together.
at::Tensor strided_input_gradient(const ConvGeometry& g, const at::Tensor& dy, const at::Tensor& x,
                                  const at::Tensor& weight) {
  const bool even = g.top == g.bottom && g.left == g.right;
  const auto padded = even ? x : at::constant_pad_nd(x, {g.left, g.right, g.top, g.bottom});
  const std::array<int64_t, 2> stride{g.stride, g.stride}, none{0, 0}, one{1, 1};
  const std::array<int64_t, 2> padding{even ? g.top : 0, even ? g.left : 0};
  const auto dx = std::get<0>(at::convolution_backward(dy, padded, weight, std::nullopt, stride, padding, one, false,
                                                       none, 1, {true, false, false}));
  return even ? dx : dx.slice(2, g.top, g.top + x.size(2)).slice(3, g.left, g.left + x.size(3));
}

void input_gradients(const Shape& shape, const at::Tensor& dy, const BackwardCall& call,
                     std::vector<at::Tensor>& found) {
  const auto &x = call.saved[0], &skip = call.saved[1], &weight = call.saved[2];
  if (shape.geometry.stride == 1) {
    if (call.needed[kX]) found[kX] = input_gradient(shape, dy, weight, {0, shape.channels});
    if (call.needed[kSkip]) found[kSkip] = input_gradient(shape, dy, weight, {shape.channels, shape.skip_channels});
  } else if (call.needed[kX] || call.needed[kSkip]) {
    const auto dx = strided_input_gradient(shape.geometry, dy, skip.defined() ? at::cat({x, skip}, 1) : x, weight);
    found[kX] = dx.narrow(1, 0, shape.channels);
    if (skip.defined()) found[kSkip] = dx.narrow(1, shape.channels, shape.skip_channels);
  }
}

// In the layout of channels-last kernels, whatever the weight's own.
at::Tensor weight_gradient(const Shape& shape, const at::Tensor& dy, const std::vector<at::Tensor>& saved) {
  const auto plain = [](const at::Tensor& t) { return t.defined() ? contiguous(t, kChannelsLast) : t; };
  const auto x = plain(shape.doubled ? doubled(saved[0]) : saved[0]), skip = plain(saved[1]);
  const auto& weight = saved[2];
  auto dw = empty(weight.sizes(), weight.options(), kChannelsLast);
  auto* to = dw.mutable_data_ptr<float>();
  const auto rows = rows_under(x, skip, dy, weight.size(2), shape.geometry);
  const auto* above = dy.const_data_ptr<float>();
  const auto layout = layout_for(weight.sizes(), shape.geometry, skip.defined() ? shape.channels : 0);
  if (layout == Layout::winograd) {
    winograd::weight_gradient(*shape.kernels.winograd_gradient, {rows, dy.size(0), above, dy.size(1), to});
  } else {
    const gemm::Rows outputs{.x = above, .channels = dy.size(1), .x_stride = dy.size(1)};
    const int64_t pixels = dy.size(0) * dy.size(2) * dy.size(3);
    outer::multiply(*shape.kernels.outer, {outputs, rows, pixels, to, rows.depth()});
  }
  return dw;
}

std::vector<at::Tensor> backward(const Shape& shape, const BackwardCall& call) {
  std::vector<at::Tensor> found(kInputs);
  const auto dy = contiguous(call.dy, kChannelsLast);
  input_gradients(shape, dy, call, found);
  if (call.needed[kWeight]) found[kWeight] = weight_gradient(shape, dy, call.saved);
  if (call.needed[kShift]) found[kShift] = dy.sum({2, 3});
  if (call.needed[kBias]) found[kBias] = found[kShift].defined() ? found[kShift].sum(0) : dy.sum({0, 2, 3});
  if (call.needed[kResidual]) found[kResidual] = dy;
  return found;
}

std::array<int64_t, 4> result_sizes(const Conv2dCall& call, const ConvGeometry& g, const at::Tensor& weight) {
  const int64_t factor = call.doubled ? 2 : 1;
  const auto side = [&](int64_t in, int64_t zeros, int64_t kernel) {
    return (factor * in + zeros - kernel) / g.stride + 1;
  };
  return {call.x.size(0), weight.size(0), side(call.x.size(2), g.top + g.bottom, weight.size(2)),
          side(call.x.size(3), g.left + g.right, weight.size(3))};
}

}  // namespace

bool trains(const Conv2dCall& call) {
  if (!trains_on(call.x) || current_isa() == Isa::none || current_products() == Products::i8) return false;
  if (call.x.numel() == 0) return false;
  const ConvWeights& weights = call.weights;
  const bool plain_weight = weights.kernels().isa == Isa::none && !weights.packs_onednn();
  const auto weight = plain_weight ? weights.weight(at::kFloat) : at::Tensor();  // packed ones want no gradient
  return is_trained(weight) || any_needs_gradient({call.x, call.skip, weights.bias(), call.shift, call.residual});
}

at::Tensor conv2d_trained(const Conv2dCall& call) {
  const auto weight = call.weights.weight(at::kFloat);
  const auto& bias = call.weights.bias();
  const Shape shape{.kernels = current_kernels(),
                    .geometry = call.weights.geometry(),
                    .channels = call.x.size(1),
                    .skip_channels = call.skip.defined() ? call.skip.size(1) : 0,
                    .doubled = call.doubled};
  at::Tensor y;
  if (results_are_unread()) {
    y = without_values(result_sizes(call, shape.geometry, weight), call.x.options());
  } else {
    const c10::NoGradGuard guard;
    const auto layout = layout_for(weight.sizes(), shape.geometry, call.skip.defined() ? shape.channels : 0);
    const auto packed = pack_for_pass(weight, layout, shape.kernels);
    y = convolve({call.x, call.skip, packed, shape.kernels, weight.size(0), weight.size(2), shape.geometry, bias,
                  call.shift, call.residual, call.doubled});
  }
  return record("conv2d", std::move(y), {call.x, call.skip, weight, bias, call.shift, call.residual},
                {call.x, call.skip, weight}, [shape](const BackwardCall& b) { return backward(shape, b); });
}

}  // namespace fresco::ops
