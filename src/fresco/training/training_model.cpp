#include "fresco/training/training_model.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "fresco/checkpoint/folder.h"
#include "fresco/checkpoint/part_names.h"
#include "fresco/core/error.h"
#include "fresco/text/text_encoder.h"
#include "fresco/training/fresh_weights.h"
#include "fresco/training/model_configs.h"
#include "fresco/training/weight_tensors.h"
#include "fresco/unet/unet.h"
#include "fresco/vae/vae.h"

namespace fresco::training {
namespace {

namespace fs = std::filesystem;
using checkpoint::ModelFiles;

checkpoint::Part& part_of(ModelFiles& files, Network network) {
  return network == Network::unet ? files.unet : network == Network::vae ? files.vae : files.text_encoder;
}

// The shapes that a checkpoint of these specs has.
WeightTensors::Shapes shapes_of(const pipeline::ModelSpecs& specs, Network network) {
  WeightTensors::Shapes shapes;
  const auto take = [&](const auto& tensors) {
    for (const auto& tensor : tensors) shapes[tensor.name] = tensor.shape;
  };
  switch (network) {
    case Network::unet:
      take(unet::expected_tensors(specs.unet));
      break;
    case Network::text_encoder:
      take(text::expected_tensors(specs.text));
      break;
    case Network::vae:
      take(vae::expected_tensors(specs.vae));
      break;
  }
  return shapes;
}

at::ScalarType type_of(const at::TensorOptions& options) { return c10::typeMetaToScalarType(options.dtype()); }

std::unique_ptr<Parameters> parameters_for(const pipeline::ModelSpecs& specs, Network network,
                                           const at::TensorOptions& options) {
  const layers::Preparation preparation{.device = options.device(), .type = type_of(options)};
  const auto build = [&](const layers::WeightSource& source) {
    switch (network) {
      case Network::unet:
        unet::UNet(specs.unet, source, preparation);
        break;
      case Network::text_encoder:
        text::TextEncoder(specs.text, source, preparation);
        break;
      case Network::vae:
        vae::Vae(specs.vae, source, preparation);
        break;
    }
  };
  return std::make_unique<Parameters>(build, options);
}

ModelFiles open_partly(const std::string& folder, const std::set<Network>& fresh) {
  ModelFiles files = open_configs(folder);
  if (!fresh.contains(Network::vae)) files.vae = checkpoint::open_vae_folder(folder);
  for (const Network network : {Network::unet, Network::text_encoder}) {
    auto& part = part_of(files, network);
    if (!fresh.contains(network)) part = checkpoint::open_part(fs::path(part.config_place).parent_path());
  }
  if (!fresh.contains(Network::text_encoder))
    files.text_encoder.tensors = checkpoint::normalise_text(std::move(files.text_encoder.tensors));
  files.family = checkpoint::family_of(files.unet);
  return files;
}

}  // namespace

std::string_view name(Network network) {
  constexpr std::array<std::string_view, 3> kNames{"unet", "text_encoder", "vae"};
  return kNames[static_cast<size_t>(network)];
}

TrainingModel TrainingModel::open(const std::string& model, const std::set<Network>& fresh, uint64_t seed,
                                  const at::TensorOptions& options, Observer& observer) {
  TrainingModel opened;
  auto& files = opened.files_;
  files = fresh.empty() ? checkpoint::open_model({.model = model}, observer) : open_partly(model, fresh);
  opened.specs_ = pipeline::read_specs(files);
  for (const Network network : kNetworks) {
    auto parameters = parameters_for(opened.specs_, network, options);
    if (fresh.contains(network)) {
      draw_fresh_weights(*parameters, seed);
      if (network == Network::vae) narrow_posterior(*parameters);
    } else {
      parameters->assign(layers::CheckpointWeights(part_of(files, network).tensors, {.type = type_of(options)}));
    }
    opened.weights_[static_cast<size_t>(network)] = std::move(parameters);
  }
  return opened;
}

void TrainingModel::adopt_averages() {
  const c10::NoGradGuard guard;
  for (const Network network : kNetworks) {
    if (average(network).defined()) parameters(network).values().copy_(average(network));
    average(network).reset();
  }
}

void TrainingModel::set_scaling_factor(double factor) {
  specs_.vae.scaling_factor = factor;
  files_.vae.config["scaling_factor"] = factor;
}

ModelFiles TrainingModel::files(bool half) const {
  ModelFiles now = files_;
  for (const Network network : kNetworks) {
    const auto& parameters = *weights_[static_cast<size_t>(network)];
    const auto& vector = average(network).defined() ? average(network) : parameters.values();
    part_of(now, network).tensors =
        std::make_shared<WeightTensors>(parameters.slices(), vector, shapes_of(specs_, network), half);
  }
  return now;
}

}  // namespace fresco::training
