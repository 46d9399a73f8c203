#include "fresco/ops/conv2d/conv2d.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"

namespace fresco::ops {
namespace {

constexpr std::array<Form<Conv2dCall, at::Tensor>, 2> kForms = {{
    {"onednn", conv2d_onednn, [](const Conv2dCall& call) { return call.weights.packs() && !needs_gradient(call.x); }},
    {"reference", conv2d_reference, always<Conv2dCall>},
}};

}  // namespace

ConvWeights::ConvWeights(at::Tensor weight, at::Tensor bias, const ConvGeometry& geometry, int64_t split)
    : bias_(std::move(bias)), geometry_(geometry), split_(split) {
  std::copy_n(weight.sizes().begin(), shape_.size(), shape_.begin());
  const bool plain_float = weight.is_cpu() && weight.scalar_type() == at::kFloat && !weight.requires_grad();
  packs_ = plain_float && forced_form() != "reference";
  assign_weight(weight);
}

void ConvWeights::assign_weight(const at::Tensor& weight) {
  packed_ = {};
  const bool as_it_is = packs_ || weight.requires_grad();
  plain_ = as_it_is ? weight : weight.contiguous(at::MemoryFormat::ChannelsLast);
}

const std::array<at::Tensor, 2>& ConvWeights::packed() const {
  const std::lock_guard lock(mutex_);
  if (packed_[0].defined()) return packed_;
  const Span span("pack weights", "conv2d", [&] { return elementwise_cost(plain_, 0); });
  const auto pack = [&](const at::Tensor& weight) { return pack_onednn(weight.contiguous(), geometry_); };
  if (split_ > 0) packed_[1] = pack(plain_.narrow(1, split_, plain_.size(1) - split_));
  packed_[0] = pack(split_ > 0 ? plain_.narrow(1, 0, split_) : plain_);
  plain_.reset();
  return packed_;
}

at::Tensor ConvWeights::weight() const {
  const std::lock_guard lock(mutex_);
  if (plain_.defined()) return plain_;
  const auto first = packed_[0].to_dense();
  return split_ > 0 ? at::cat({first, packed_[1].to_dense()}, 1) : first;
}

Cost cost(const Conv2dCall& call) {
  const auto& [out, in, rows, columns] = call.weights.shape();
  const ConvGeometry& g = call.weights.geometry();
  const int64_t height = (call.x.size(2) + g.top + g.bottom - rows) / g.stride + 1;
  const int64_t width = (call.x.size(3) + g.left + g.right - columns) / g.stride + 1;
  const auto results = static_cast<double>(call.x.size(0) * out * height * width);
  const auto weights = static_cast<double>(out * in * rows * columns + out);
  const auto element = static_cast<double>(call.x.element_size());
  return {.flops = 2 * results * static_cast<double>(in * rows * columns),
          .bytes = bytes_of(call.x) + bytes_of(call.skip) + bytes_of(call.residual) + (weights + results) * element,
          .shape = fmt::format("{}x{}x{}x{}, {}x{}{} to {}", call.x.size(0), in, call.x.size(2), call.x.size(3), rows,
                               columns, g.stride == 1 ? "" : fmt::format("/{}", g.stride), out),
          .arithmetic = arithmetic_of(call.x)};
}

at::Tensor conv2d(const Conv2dCall& call) { return dispatch("conv2d", kForms, call); }

}  // namespace fresco::ops
