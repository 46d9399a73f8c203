#include "fresco/layers/resnet_cell.h"

#include "fresco/layers/recompute.h"
#include "fresco/ops/gradient/unread.h"
#include "fresco/ops/profile.h"

namespace fresco::layers {

ResnetCell::ResnetCell(Builder& builder, const std::string& prefix, const ResnetShape& shape)
    : name_(prefix), shape_(shape) {
  const int64_t in = shape.in + shape.skip;
  norm1_ = builder.norm(prefix + ".norm1", in);
  conv1_ = builder.conv(prefix + ".conv1", in, shape.out, 3, ops::kSame3x3);
  if (shape.time > 0) {
    const ScopedOnce once;
    time_projection_ = builder.linear(prefix + ".time_emb_proj", shape.time, shape.out);
  }
  norm2_ = builder.norm(prefix + ".norm2", shape.out);
  conv2_ = builder.conv(prefix + ".conv2", shape.out, shape.out, 3, ops::kSame3x3);
  if (in != shape.out) {
    shortcut_ =
        builder.conv(prefix + ".conv_shortcut", in, shape.out, 1, ops::kPointwise, shape.skip > 0 ? shape.in : 0);
  }
}

at::Tensor ResnetCell::time_shift(const at::Tensor& activated_time) const {
  const ops::Span span(ops::SpanKind::cell, name_);
  return time_projection_ ? linear(time_projection_, activated_time) : at::Tensor();
}

at::Tensor ResnetCell::forward(at::Tensor x, const at::Tensor& skip, const at::Tensor& shift) const {
  const ops::Span span(ops::SpanKind::cell, name_);
  const auto normed = [&](const at::Tensor& input, const at::Tensor& more, const Norm& norm) {
    return group_norm(norm, input, more, {shape_.groups, shape_.eps, /*silu=*/true});
  };
  const auto ending = [](const Conv& conv, const at::Tensor& input, const at::Tensor& more,
                         const at::Tensor& residual) {
    const ops::ScopedUnread unread(computing_again());
    return conv2d(conv, input, more, {}, residual);
  };
  auto hidden = conv2d(conv1_, normed(x, skip, norm1_), {}, shift);  // [B, C_out, H, W]
  const auto shortcut = shortcut_ ? ending(shortcut_, x, skip, {}) : x;
  x.reset();
  hidden = normed(hidden, {}, norm2_);
  return ending(conv2_, hidden, {}, shortcut);
}

}  // namespace fresco::layers
