// Norms and activations on the shapes of DeciDiffusion's and Stable Diffusion v1.5's networks at 512x512, beside libtorch's. They move
// more than they compute: the table counts bytes.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "fresco/ops/activation/activation.h"
#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/geglu/geglu.h"
#include "fresco/ops/group_norm_silu/group_norm_silu.h"
#include "fresco/ops/layer_norm/layer_norm.h"
#include "fresco/ops/simd/isa.h"
#include "kernels.h"

namespace fresco::benchmarks {
namespace {

// Every form for vectors alone, and the definition, which is what libtorch does.
std::vector<Way> ways_of(const std::function<at::Tensor()>& call) {
  std::vector<Way> ways;
  const auto add = [&](std::string_view form, const char* name) {
    ways.push_back({name == nullptr ? std::string(form) : name, Arithmetic::f32, [=] {
                      const ops::ScopedForm forced(form);
                      return call();
                    }});
  };
  for (const auto isa : ops::runnable_isas()) {
    if (isa != "avx512-bf16" && isa != "amx") add(isa, nullptr);
  }
  add("reference", "torch");
  return ways;
}

std::function<double(const at::Tensor&)> error_from(const at::Tensor& expected) {
  return [=](const at::Tensor& y) {
    return (y - expected).abs().max().item<double>() / expected.abs().max().item<double>();
  };
}

struct Pixels {
  const char* where;
  int64_t batch, channels, skip, side;
  bool silu = true;
};

constexpr Pixels kPixels[] = {
    {"U-Net", 2, 320, 0, 64},   {"U-Net", 2, 320, 320, 64},
    {"U-Net", 2, 640, 320, 64}, {"U-Net, no silu", 2, 320, 0, 64, false},
    {"U-Net", 2, 640, 0, 32},   {"U-Net", 2, 1280, 1280, 16},
    {"U-Net", 2, 1280, 0, 8},   {"VAE", 1, 512, 0, 64},
    {"VAE", 1, 256, 0, 256},    {"VAE", 1, 128, 0, 512},
};

void group_norms(KernelTable& table) {
  for (const Pixels& p : kPixels) {
    const auto shape = fmt::format("group norm {} {}x{}{} {}x{}", p.where, p.batch, p.channels,
                                   p.skip > 0 ? fmt::format("+{}", p.skip) : "", p.side, p.side);
    const auto pixels = [&](int64_t c) {
      return at::randn({p.batch, c, p.side, p.side}).contiguous(at::MemoryFormat::ChannelsLast);
    };
    const auto x = pixels(p.channels), skip = p.skip > 0 ? pixels(p.skip) : at::Tensor();
    const auto weight = at::randn({p.channels + p.skip}), bias = at::randn({p.channels + p.skip});
    const ops::GroupNormCall call{x, skip, weight, bias, 32, 1e-5, p.silu};
    const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
    const auto x64 = wide(x), skip64 = wide(skip), weight64 = wide(weight), bias64 = wide(bias);
    const auto expected = ops::group_norm_silu_reference({x64, skip64, weight64, bias64, 32, 1e-5, p.silu});
    table.compare(shape, 1.5 * cost(call).bytes, ways_of([&] { return ops::group_norm_silu(call); }),
                  error_from(expected));
  }
}

struct RowShape {
  const char* where;
  int64_t rows, channels;
};

constexpr RowShape kRows[] = {
    {"U-Net 64x64", 8192, 320}, {"U-Net 32x32", 2048, 640}, {"U-Net 16x16", 512, 1280}, {"text encoder", 154, 768}};

void rows(KernelTable& table) {
  for (const RowShape& r : kRows) {
    const auto x = at::randn({r.rows, r.channels}), weight = at::randn({r.channels}), bias = at::randn({r.channels});
    const ops::LayerNormCall norm{x, weight, bias};
    const auto normed = ops::layer_norm_reference({x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble)});
    table.compare(fmt::format("layer norm {} {}x{}", r.where, r.rows, r.channels), cost(norm).bytes,
                  ways_of([&] { return ops::layer_norm(norm); }), error_from(normed));
    const auto wide = at::randn({r.rows, 8 * r.channels});
    const ops::GegluCall gate{wide};
    table.compare(fmt::format("geglu {} {}x{}", r.where, r.rows, 8 * r.channels), cost(gate).bytes,
                  ways_of([&] { return ops::geglu(gate); }), error_from(ops::geglu_reference({wide.to(at::kDouble)})));
  }
  const auto x = at::randn({154, 3072});
  for (const auto function : {ops::Activation::quick_gelu, ops::Activation::gelu}) {
    const ops::ActivationCall call{x, function};
    const char* name = function == ops::Activation::gelu ? "gelu" : "quick gelu";
    table.compare(fmt::format("{} text encoder 154x3072", name), cost(call).bytes,
                  ways_of([&] { return ops::activation(call); }),
                  error_from(ops::activation_reference({x.to(at::kDouble), function})));
  }
}

}  // namespace

void norms_table(const KernelOptions& options, const ops::MachineRates& rates) {
  KernelTable table("norms: inputs and results, the group norm's inputs twice", options, rates, Rate::memory);
  group_norms(table);
  rows(table);
}

}  // namespace fresco::benchmarks
