#include "fresco/ops/conv2d/conv2d.h"

#include <ATen/ATen.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"

namespace fresco::ops {
namespace {

constexpr std::array<Form<Conv2dCall, at::Tensor>, 2> kForms = {{
    {"onednn", conv2d_onednn,
     [](const Conv2dCall& call) { return call.weights.is_packed() && !needs_gradient(call.x); }},
    {"reference", conv2d_reference, always<Conv2dCall>},
}};

}  // namespace

ConvWeights::ConvWeights(at::Tensor weight, at::Tensor bias, const ConvGeometry& geometry, int64_t split)
    : bias_(std::move(bias)), geometry_(geometry), split_(split), out_channels_(weight.size(0)) {
  packs_ =
      forced_form() != "reference" && weight.is_cpu() && weight.scalar_type() == at::kFloat && !weight.requires_grad();
  pack(weight);
}

void ConvWeights::pack(const at::Tensor& weight) {
  if (!packs_) {
    plain_ = weight.requires_grad() ? weight : weight.contiguous(at::MemoryFormat::ChannelsLast);
    return;
  }
  if (split_ > 0) {
    packed_ = {pack_onednn(weight.narrow(1, 0, split_).contiguous(), geometry_),
               pack_onednn(weight.narrow(1, split_, weight.size(1) - split_).contiguous(), geometry_)};
  } else {
    packed_[0] = pack_onednn(weight, geometry_);
  }
}

void ConvWeights::assign_weight(const at::Tensor& weight) { pack(weight); }
void ConvWeights::assign_bias(const at::Tensor& bias) { bias_ = bias; }

at::Tensor ConvWeights::weight() const {
  if (plain_.defined()) return plain_;
  const auto first = packed_[0].to_dense();
  return split_ > 0 ? at::cat({first, packed_[1].to_dense()}, 1) : first;
}

at::Tensor conv2d(const Conv2dCall& call) { return dispatch("conv2d", kForms, call); }

}  // namespace fresco::ops
