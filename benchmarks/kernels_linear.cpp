// Matrix products on the shapes of DeciDiffusion's and Stable Diffusion v1.5's networks at 512x512, beside libtorch's.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/dispatch.h"
#include "fresco/ops/linear/linear.h"
#include "fresco/ops/simd/isa.h"
#include "kernels.h"

namespace fresco::benchmarks {
namespace {

struct Shape {
  const char* where;
  int64_t rows, in, out;  // of one guided call
  bool residual = false, gated = false;
};

constexpr Shape kShapes[] = {
    {"64x64 queries, keys, values", 8192, 320, 960},
    {"64x64 attention's result", 8192, 320, 320, true},
    {"64x64 GEGLU", 8192, 320, 2560, false, true},
    {"64x64 feed-forward", 8192, 1280, 320, true},
    {"32x32 queries, keys, values", 2048, 640, 1920},
    {"32x32 attention's result", 2048, 640, 640, true},
    {"32x32 GEGLU", 2048, 640, 5120, false, true},
    {"32x32 feed-forward", 2048, 2560, 640, true},
    {"16x16 queries, keys, values", 512, 1280, 3840},
    {"16x16 attention's result", 512, 1280, 1280, true},
    {"16x16 GEGLU", 512, 1280, 10240, false, true},
    {"16x16 feed-forward", 512, 5120, 1280, true},
    {"8x8 attention's result", 128, 1280, 1280, true},
    {"8x8 GEGLU", 128, 1280, 10240, false, true},
    {"text's keys", 154, 768, 1280},
    {"text encoder, one product", 154, 768, 768, true},
    {"text encoder, feed-forward", 154, 3072, 768, true},
    {"time", 1, 1280, 1280},
};

// As trained weights are: results of unit variance. Published checkpoints are float16, and stay so in memory.
at::Tensor random_weight(const Shape& s) {
  return at::randn({s.out, s.in}).div_(std::sqrt(static_cast<double>(s.in))).to(at::kHalf);
}

struct Inputs {
  explicit Inputs(const Shape& s)
      : x(at::randn({s.rows, s.in})),
        weight(random_weight(s)),
        bias(at::randn({s.out})),
        residual(s.residual ? at::randn({s.rows, s.out}) : at::Tensor()),
        gated(s.gated) {}
  at::Tensor x, weight, bias, residual;
  bool gated;
};

Way own(std::string_view isa, ops::Products products, const Inputs& in) {
  const bool eight = products == ops::Products::i8;
  const ops::ScopedForm form(isa, products);
  const auto weights = std::make_shared<ops::LinearWeights>(in.weight, in.bias, in.gated);
  return {std::string(isa) + (eight ? " int8" : ""),
          eight                             ? Arithmetic::int8
          : products == ops::Products::bf16 ? Arithmetic::bf16
                                            : Arithmetic::f32,
          [=, &in, isa = std::string(isa)] {
            const ops::ScopedForm forced(isa, products);
            return ops::linear({in.x, *weights, in.residual});
          }};
}

Way peer(const char* name, const Inputs& in, at::ScalarType type) {
  const auto x = in.x.to(type), weight = in.weight.to(type), bias = in.bias.to(type);
  const auto residual = in.residual.defined() ? in.residual.to(type) : in.residual;
  return {name, type == at::kBFloat16 ? Arithmetic::bf16 : Arithmetic::f32, [=, gated = in.gated] {
            const auto y = at::linear(x, weight, bias);
            if (gated) {
              const auto parts = y.chunk(2, -1);
              return parts[0] * at::gelu(parts[1]);
            }
            return residual.defined() ? y + residual : y;
          }};
}

std::vector<Way> ways_of(const Inputs& in) {
  std::vector<Way> ways;
  for (const auto isa : ops::runnable_isas()) {
    const bool narrow = isa == "avx512-bf16";
    ways.push_back(own(isa, narrow ? ops::Products::bf16 : ops::Products::f32, in));
    if (!narrow) continue;
    ways.push_back(own(isa, ops::Products::i8, in));
    ways.push_back(peer("torch bf16", in, at::kBFloat16));
  }
  ways.push_back(peer("torch", in, at::kFloat));
  return ways;
}

at::Tensor definition(const Inputs& in) {
  const auto y = at::linear(in.x.to(at::kDouble), in.weight.to(at::kDouble), in.bias.to(at::kDouble));
  if (in.gated) {
    const auto parts = y.chunk(2, -1);
    return parts[0] * at::gelu(parts[1]);
  }
  return in.residual.defined() ? y + in.residual : y;
}

}  // namespace

void linear_table(const KernelOptions& options, const ops::MachineRates& rates) {
  KernelTable table("matrix products: where, rows, inputs to outputs", options, rates);
  for (const Shape& s : kShapes) {
    const auto name = fmt::format("{} {}, {} to {}", s.where, s.rows, s.in, s.out);
    if (!table.wants(name)) continue;
    const Inputs in(s);
    const auto expected = definition(in);
    const double most = expected.abs().max().item<double>();
    table.compare(name, 2.0 * static_cast<double>(s.rows * s.in * s.out), ways_of(in),
                  [&](const at::Tensor& y) { return (y - expected).abs().max().item<double>() / most; });
  }
}

}  // namespace fresco::benchmarks
