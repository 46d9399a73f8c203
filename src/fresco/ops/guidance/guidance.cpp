#include "fresco/ops/guidance/guidance.h"

#include <ATen/ATen.h>

#include <cmath>

#include "fresco/ops/cost.h"
#include "fresco/ops/dispatch.h"
#include "fresco/ops/gradient.h"
#include "fresco/ops/memory/arena.h"
#include "fresco/ops/parallel.h"

namespace fresco::ops {
namespace {

bool fits_fused(const GuidanceCall& call) {
  return plain_float(call.both) && plain_float(call.scale) && plain_float(call.rescale) && call.both.numel() > 0;
}

constexpr std::array<Form<GuidanceCall, at::Tensor>, 2> kForms = {{
    {"fused", guidance_fused, fits_fused},
    {"reference", guidance_reference, always<GuidanceCall>},
}};

at::Tensor per_sample(const at::Tensor& values, const at::Tensor& like) {  // [B] -> [B, 1, 1, ...]
  std::vector<int64_t> shape(like.dim(), 1);
  shape[0] = values.size(0);
  return values.view(shape);
}

at::Tensor deviation(const at::Tensor& x) {
  std::vector<int64_t> dimensions;
  for (int64_t d = 1; d < x.dim(); ++d) dimensions.push_back(d);
  return x.std(dimensions, /*unbiased=*/true, /*keepdim=*/true);
}

// In float64, in an order that depends on n alone.
template <typename Value>
double sum_of(int64_t n, const Value& value) {
  constexpr int64_t kParts = 8;  // that do not wait for each other
  double parts[kParts] = {};
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts) {
    for (int64_t k = 0; k < kParts; ++k) parts[k] += value(i + k);
  }
  for (; i < n; ++i) parts[0] += value(i);
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

// Unbiased.
float deviation(const float* x, int64_t n) {
  const double mean = sum_of(n, [&](int64_t i) { return static_cast<double>(x[i]); }) / static_cast<double>(n);
  const double squares = sum_of(n, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
  return static_cast<float>(std::sqrt(squares / static_cast<double>(n - 1)));
}

// One sample of n values.
void guide(const float* without, const float* with, int64_t n, float scale, float rescale, float* y) {
  for (int64_t i = 0; i < n; ++i) y[i] = without[i] + scale * (with[i] - without[i]);
  if (!(rescale > 0)) return;
  const float ratio = deviation(with, n) / deviation(y, n);
  for (int64_t i = 0; i < n; ++i) y[i] = rescale * (y[i] * ratio) + (1 - rescale) * y[i];
}

}  // namespace

// For each result 3 of the guidance, 6 of two deviations, 4 of the rescale.
Cost cost(const GuidanceCall& call) {
  return {.flops = 6.5 * static_cast<double>(call.both.numel()),
          .bytes = 1.5 * bytes_of(call.both),
          .shape = shape_text(call.both.sizes())};
}

at::Tensor guidance(const GuidanceCall& call) { return dispatch("guidance", kForms, call); }

at::Tensor guidance_fused(const GuidanceCall& call) {
  const bool pixels = call.both.dim() == 4 && call.both.is_contiguous(at::MemoryFormat::ChannelsLast);
  const auto format = pixels ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const auto both = contiguous(call.both, format), scales = contiguous(call.scale), rescales = contiguous(call.rescale);
  auto shape = both.sizes().vec();
  const int64_t batch = shape[0] /= 2, size = both.numel() / both.size(0);
  auto y = empty(shape, both.options(), format);
  const float* from = both.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  parallel_for(batch, 0, [&](int64_t b, std::byte*) {
    guide(from + b * size, from + (batch + b) * size, size, scales.const_data_ptr<float>()[b],
          rescales.const_data_ptr<float>()[b], to + b * size);
  });
  return y;
}

at::Tensor guidance_reference(const GuidanceCall& call) {
  const auto halves = call.both.chunk(2);
  const auto guided = halves[0] + per_sample(call.scale, halves[0]) * (halves[1] - halves[0]);
  const auto rescale = per_sample(call.rescale, halves[0]);
  // A constant output has no deviation to match: the quotient is not a number, and where() drops it when no rescale is asked.
  const auto rescaled = rescale * (guided * (deviation(halves[1]) / deviation(guided))) + (1 - rescale) * guided;
  return at::where(rescale > 0, rescaled, guided);
}

}  // namespace fresco::ops
