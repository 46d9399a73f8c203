#include "fresco/ops/conv2d/conv2d.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/conv2d/convolve.h"
#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient/record.h"

namespace fresco::ops {
namespace {

constexpr int64_t kFewChannels = 16;  // a vector of AVX-512: under it, transforms would run half empty

// Tiles serve products over taps; Winograd's transforms and products run on what comes before them.
Isa isa_of(const ConvWeights& weights) {
  const Isa isa = weights.kernels().isa;
  return isa == Isa::amx && weights.layout() == Layout::winograd ? Isa::avx512_bf16 : isa;
}

// Of what is beside the weights: packed ones want none.
bool wants_gradient(const Conv2dCall& call) {
  return any_needs_gradient({call.x, call.skip, call.weights.bias(), call.shift, call.residual});
}

template <Isa isa>
bool packed_for(const Conv2dCall& call) {
  return isa_of(call.weights) == isa && call.x.is_cpu() && call.x.scalar_type() == at::kFloat && !wants_gradient(call);
}

bool packed_for_onednn(const Conv2dCall& call) {
  return call.weights.packs_onednn() && call.x.scalar_type() == at::kFloat && !wants_gradient(call);
}

constexpr std::array<Form<Conv2dCall, at::Tensor>, 7> kForms = {{
    {"trained", conv2d_trained, trains},
    {"amx", conv2d_packed, packed_for<Isa::amx>},
    {"avx512-bf16", conv2d_packed, packed_for<Isa::avx512_bf16>},
    {"avx512", conv2d_packed, packed_for<Isa::avx512>},
    {"avx2", conv2d_packed, packed_for<Isa::avx2>},
    {"onednn", conv2d_onednn, packed_for_onednn},
    {"reference", conv2d_reference, always<Conv2dCall>},
}};

}  // namespace

Layout layout_for(at::IntArrayRef shape, const ConvGeometry& geometry, int64_t split) {
  if (shape[2] != 3 || geometry.stride != 1 || shape[1] < kFewChannels) return Layout::taps;
  // A vector of channels lies in one of the two inputs.
  return split % kFewChannels == 0 ? Layout::winograd : Layout::taps;
}

ConvWeights::ConvWeights(StoredTensor weight, at::Tensor bias, const ConvGeometry& geometry, int64_t split)
    : weight_(weight, layout_for(weight.sizes(), geometry, split)),
      bias_(std::move(bias)),
      geometry_(geometry),
      split_(split) {
  if (can_pack(weight)) kernels_ = current_kernels();
  if (!weight.held()) return;
  const at::Tensor& values = weight.tensor();
  const bool plain_float = values.is_cpu() && values.scalar_type() == at::kFloat && !values.requires_grad();
  packs_onednn_ = plain_float && kernels_.isa == Isa::none && forced_form() != "reference";
  assign_weight(values);
}

ConvWeights::ConvWeights(PackedStore weight, const std::vector<int64_t>& shape, at::Tensor bias,
                         const ConvGeometry& geometry, int64_t split)
    : weight_(std::move(weight), layout_for(shape, geometry, split), shape),
      bias_(std::move(bias)),
      geometry_(geometry),
      kernels_(current_kernels()),
      split_(split) {}

void ConvWeights::assign_weight(const at::Tensor& weight) {
  onednn_ = {};
  const bool as_it_is = kernels_.isa != Isa::none || packs_onednn_ || weight.requires_grad();
  weight_.assign(as_it_is ? weight : weight.contiguous(at::MemoryFormat::ChannelsLast));
}

const std::array<at::Tensor, 2>& ConvWeights::packed_onednn() const {
  const std::lock_guard lock(mutex_);
  if (onednn_[0].defined()) return onednn_;
  const auto plain = weight_.plain();
  const Span span("pack weights", "onednn", [&] { return elementwise_cost(plain, 0); });
  const auto pack = [&](const at::Tensor& weight) { return pack_onednn(weight.contiguous(), geometry_); };
  if (split_ > 0) onednn_[1] = pack(plain.narrow(1, split_, plain.size(1) - split_));
  onednn_[0] = pack(split_ > 0 ? plain.narrow(1, 0, split_) : plain);
  weight_.assign({});
  return onednn_;
}

at::Tensor ConvWeights::weight(at::ScalarType type) const {
  const std::lock_guard lock(mutex_);
  if (!onednn_[0].defined()) return weight_.plain().to(type);
  const auto first = onednn_[0].to_dense();
  return (split_ > 0 ? at::cat({first, onednn_[1].to_dense()}, 1) : first).to(type);
}

Cost cost(const Conv2dCall& call) {
  const auto& shape = call.weights.shape();
  const int64_t out = shape[0], in = shape[1], rows = shape[2], columns = shape[3];
  const ConvGeometry& g = call.weights.geometry();
  const int64_t scale = call.doubled ? 2 : 1;
  const int64_t height = (scale * call.x.size(2) + g.top + g.bottom - rows) / g.stride + 1;
  const int64_t width = (scale * call.x.size(3) + g.left + g.right - columns) / g.stride + 1;
  const auto results = static_cast<double>(call.x.size(0) * out * height * width);
  const auto weights = static_cast<double>(out * in * rows * columns + out);
  const auto element = static_cast<double>(call.x.element_size());
  return {.flops = 2 * results * static_cast<double>(in * rows * columns),
          .bytes = bytes_of(call.x) + bytes_of(call.skip) + bytes_of(call.residual) + (weights + results) * element,
          .shape = fmt::format("{}x{}x{}x{}{}, {}x{}{} to {}", call.x.size(0), in, call.x.size(2), call.x.size(3),
                               call.doubled ? " doubled" : "", rows, columns,
                               g.stride == 1 ? "" : fmt::format("/{}", g.stride), out),
          .arithmetic =
              arithmetic_of(call.x, call.weights.kernels().products == Products::f32 ? Products::f32 : Products::bf16)};
}

at::Tensor conv2d(const Conv2dCall& call) { return dispatch("conv2d", kForms, call); }

}  // namespace fresco::ops
