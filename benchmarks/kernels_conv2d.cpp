// Convolutions on the shapes of DeciDiffusion's and Stable Diffusion v1.5's networks at 512x512, beside libtorch's. Rates count the
// multiply-adds of the definition, so that Winograd's may exceed what the processor does.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/conv2d/conv2d.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/simd/isa.h"
#include "kernels.h"

namespace fresco::benchmarks {
namespace {

struct Shape {
  const char* where;
  int64_t batch, in, out, side;
  ops::ConvGeometry geometry = ops::kSame3x3;
  int64_t kernel = 3;
  bool doubled = false;
};

constexpr Shape kShapes[] = {
    {"U-Net", 2, 320, 320, 64},
    {"U-Net", 2, 640, 320, 64},
    {"U-Net", 2, 640, 640, 32},
    {"U-Net", 2, 1920, 640, 32},
    {"U-Net", 2, 1280, 1280, 16},
    {"U-Net", 2, 2560, 1280, 16},
    {"U-Net", 2, 1280, 1280, 8},
    {"U-Net, doubled", 2, 1280, 1280, 16, ops::kSame3x3, 3, true},
    {"U-Net, doubled", 2, 640, 640, 32, ops::kSame3x3, 3, true},
    {"U-Net, halving", 2, 640, 640, 32, ops::kHalve3x3},
    {"U-Net, 1x1", 2, 960, 320, 64, ops::kPointwise, 1},
    {"U-Net, first", 1, 4, 320, 64},
    {"U-Net, last", 2, 320, 4, 64},
    {"VAE", 1, 512, 512, 64},
    {"VAE", 1, 512, 512, 128},
    {"VAE", 1, 256, 256, 256},
    {"VAE", 1, 128, 128, 512},
    {"VAE, doubled", 1, 256, 256, 256, ops::kSame3x3, 3, true},
    {"VAE, last", 1, 128, 3, 512},
};

struct Inputs {
  explicit Inputs(const Shape& s)
      : x(at::randn({s.batch, s.in, s.side, s.side}).contiguous(at::MemoryFormat::ChannelsLast)),
        weight(at::randn({s.out, s.in, s.kernel, s.kernel})
                   .div_(std::sqrt(static_cast<double>(s.in * s.kernel * s.kernel)))
                   .to(at::kHalf)),
        bias(at::randn({s.out})) {}
  at::Tensor x, weight, bias;
};

Way own(std::string_view isa, ops::Products products, const Shape& s, const Inputs& in) {
  const ops::ScopedForm form(isa, products);
  const auto weights = std::make_shared<ops::ConvWeights>(in.weight, in.bias, s.geometry);
  return {std::string(isa), products == ops::Products::bf16 ? Arithmetic::bf16 : Arithmetic::f32,
          [=, &s, &in, isa = std::string(isa)] {
            const ops::ScopedForm forced(isa, products);
            return ops::conv2d({in.x, {}, *weights, {}, {}, s.doubled});
          }};
}

at::Tensor convolve(const Shape& s, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto read = s.doubled ? ops::doubled(x) : x;
  return at::conv2d(read, weight, bias, s.geometry.stride, s.geometry.top);
}

Way peer(const char* name, const Shape& s, const Inputs& in, at::ScalarType type) {
  const auto x = in.x.to(type), bias = in.bias.to(type);
  const auto weight = in.weight.to(type).contiguous(at::MemoryFormat::ChannelsLast);
  return {name, type == at::kBFloat16 ? Arithmetic::bf16 : Arithmetic::f32,
          [=, &s] { return convolve(s, x, weight, bias); }};
}

std::vector<Way> ways_of(const Shape& s, const Inputs& in) {
  std::vector<Way> ways;
  for (const auto isa : ops::runnable_isas()) {
    const bool narrow = isa == "avx512-bf16";
    ways.push_back(own(isa, narrow ? ops::Products::bf16 : ops::Products::f32, s, in));
    if (narrow) ways.push_back(peer("torch bf16", s, in, at::kBFloat16));
  }
  ways.push_back(peer("torch", s, in, at::kFloat));
  return ways;
}

}  // namespace

void conv2d_table(const KernelOptions& options, const ops::MachineRates& rates) {
  KernelTable table("convolutions: where, samples x channels, height x width, to channels", options, rates);
  for (const Shape& s : kShapes) {
    const auto name = fmt::format("{} {}x{} {}x{} to {}", s.where, s.batch, s.in, s.side, s.side, s.out);
    if (!table.wants(name)) continue;
    const Inputs in(s);
    const auto expected = convolve(s, in.x.to(at::kDouble), in.weight.to(at::kDouble), in.bias.to(at::kDouble));
    const double most = expected.abs().max().item<double>();
    table.compare(name, 2.0 * static_cast<double>(expected.numel() * s.in * s.kernel * s.kernel), ways_of(s, in),
                  [&](const at::Tensor& y) { return (y - expected).abs().max().item<double>() / most; });
  }
}

}  // namespace fresco::benchmarks
