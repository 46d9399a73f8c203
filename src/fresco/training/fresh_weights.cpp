#include "fresco/training/fresh_weights.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <map>

#include "fresco/core/sha256.h"

namespace fresco::training {
namespace {

constexpr double kEmbeddingDeviation = 0.02;

bool is_embedding(const ParameterSlice& slice) { return slice.name.find("_embedding.weight") != std::string::npos; }

int64_t inputs_of(const ParameterSlice& slice) { return slice.count / slice.shape[0]; }

// The name of the layer that a tensor belongs to.
std::string layer_of(const std::string& name) { return name.substr(0, name.rfind('.')); }

at::Generator generator_for(uint64_t seed, const std::string& name) {
  const auto digest = sha256_hex(std::to_string(seed) + ":" + name);
  return at::detail::createCPUGenerator(std::stoull(digest.substr(0, 15), nullptr, 16));
}

}  // namespace

void draw_fresh_weights(Parameters& parameters, uint64_t seed) {
  const c10::NoGradGuard guard;
  std::map<std::string, int64_t> inputs;  // of layers that have any
  for (const auto& slice : parameters.slices())
    if (slice.shape.size() > 1) inputs[layer_of(slice.name)] = inputs_of(slice);
  for (const auto& slice : parameters.slices()) {
    auto values = at::empty({slice.count}, parameters.values().options().device(at::kCPU));  // the same on every device
    auto generator = generator_for(seed, slice.name);
    const auto layer = inputs.find(layer_of(slice.name));
    if (is_embedding(slice)) {
      values.normal_(0, kEmbeddingDeviation, generator);
    } else if (layer != inputs.end()) {
      const double bound = 1 / std::sqrt(static_cast<double>(layer->second));
      values.uniform_(-bound, bound, generator);
    } else {
      values.fill_(slice.name.ends_with(".weight") ? 1 : 0);
    }
    parameters.values().narrow(0, slice.offset, slice.count).copy_(values);
  }
}

void narrow_posterior(Parameters& vae) {
  const c10::NoGradGuard guard;
  const ParameterSlice* last = nullptr;  // of the encoder
  for (const auto& slice : vae.slices())
    if (slice.name == "encoder.conv_out.bias" || slice.name == "quant_conv.bias") last = &slice;
  if (last == nullptr) return;
  const int64_t variances = last->count / 2;
  vae.values().narrow(0, last->offset + variances, variances).add_(kFirstLogVariance);
}

}  // namespace fresco::training
