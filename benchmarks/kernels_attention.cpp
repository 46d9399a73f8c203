// Attention on the shapes of Stable Diffusion v1.5's and DeciDiffusion's networks at 512x512, beside libtorch's.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "fresco/ops/attention/attention.h"
#include "fresco/ops/simd/isa.h"
#include "kernels.h"

namespace fresco::benchmarks {
namespace {

struct Shape {
  const char* where;
  int64_t batch, heads, queries, keys, width;
  bool causal = false;
};

constexpr Shape kShapes[] = {
    {"U-Net 64x64", 2, 8, 4096, 4096, 40},     {"U-Net 64x64, text", 2, 8, 4096, 77, 40},
    {"U-Net 32x32", 2, 8, 1024, 1024, 80},     {"U-Net 32x32, text", 2, 8, 1024, 77, 80},
    {"U-Net 16x16", 2, 8, 256, 256, 160},      {"U-Net 16x16, text", 2, 8, 256, 77, 160},
    {"U-Net 8x8", 2, 8, 64, 64, 160},          {"VAE 64x64", 1, 1, 4096, 4096, 512},
    {"text encoder", 2, 12, 77, 77, 64, true},
};

constexpr int64_t kChecked = 64;  // queries of each sample whose results are compared with the formula in float64

struct Inputs {
  explicit Inputs(const Shape& s) {
    const int64_t channels = s.heads * s.width;
    if (s.queries == s.keys) {  // as the networks have them: one product makes all three
      const auto parts = at::randn({s.batch, s.queries, 3 * channels}).chunk(3, -1);
      q = parts[0], k = parts[1], v = parts[2];
    } else {
      q = at::randn({s.batch, s.queries, channels});
      k = at::randn({s.batch, s.keys, channels});
      v = at::randn({s.batch, s.keys, channels});
    }
  }
  at::Tensor q, k, v;
};

at::Tensor heads_of(const at::Tensor& x, int64_t heads) {
  return x.unflatten(2, {heads, x.size(2) / heads}).transpose(1, 2);
}

// Of some queries: [B, kChecked, N*D] in float64.
at::Tensor definition(const Shape& s, const Inputs& in, const at::Tensor& rows) {
  const auto wide = [&](const at::Tensor& x) { return heads_of(x.to(at::kDouble), s.heads); };
  const auto q = wide(in.q.index_select(1, rows)), k = wide(in.k), v = wide(in.v);
  auto scores = q.matmul(k.transpose(-1, -2)) / std::sqrt(static_cast<double>(s.width));
  if (s.causal) {
    const auto later = at::arange(s.keys).unsqueeze(0) > rows.unsqueeze(1);
    scores.masked_fill_(later, -std::numeric_limits<double>::infinity());
  }
  return scores.softmax(-1).matmul(v).transpose(1, 2).flatten(2);
}

Way peer(const char* name, const Shape& s, const Inputs& in, at::ScalarType type) {
  const auto q = in.q.to(type), k = in.k.to(type), v = in.v.to(type);
  return {name, type == at::kBFloat16 ? Arithmetic::bf16 : Arithmetic::f32, [=, &s] {
            const auto y = at::scaled_dot_product_attention(heads_of(q, s.heads), heads_of(k, s.heads),
                                                            heads_of(v, s.heads), {}, 0.0, s.causal);
            return y.transpose(1, 2).flatten(2);
          }};
}

std::vector<Way> ways_of(const Shape& s, const Inputs& in) {
  std::vector<Way> ways;
  for (const auto isa : ops::runnable_isas()) {
    if (isa == "amx") continue;  // as avx512-bf16
    const bool narrow = isa == "avx512-bf16";
    ways.push_back({std::string(isa), narrow ? Arithmetic::bf16 : Arithmetic::f32, [=, &s, &in] {
                      const ops::ScopedForm form(isa, narrow ? ops::Products::bf16 : ops::Products::f32);
                      return ops::attention({in.q, in.k, in.v, s.heads, s.causal});
                    }});
    if (narrow) ways.push_back(peer("torch bf16", s, in, at::kBFloat16));
  }
  ways.push_back(peer("torch", s, in, at::kFloat));
  return ways;
}

void compare(KernelTable& table, const Shape& s) {
  const Inputs in(s);
  const auto rows = at::linspace(0, static_cast<double>(s.queries - 1), std::min(kChecked, s.queries)).to(at::kLong);
  const auto expected = definition(s, in, rows);
  const double flops = 4.0 * static_cast<double>(s.batch * s.heads * s.width) *
                       static_cast<double>(s.causal ? s.queries * (s.queries + 1) / 2 : s.queries * s.keys);
  table.compare(fmt::format("{} {}x{} {}x{} of {}", s.where, s.batch, s.heads, s.queries, s.keys, s.width), flops,
                ways_of(s, in), [&](const at::Tensor& y) {
                  const auto apart = (y.index_select(1, rows) - expected).abs().max().item<double>();
                  return apart / expected.abs().max().item<double>();
                });
}

}  // namespace

void attention_table(const KernelOptions& options, const ops::MachineRates& rates) {
  KernelTable table("attention: where, samples x heads, queries x keys of head size", options, rates);
  for (const Shape& shape : kShapes) compare(table, shape);
}

}  // namespace fresco::benchmarks
