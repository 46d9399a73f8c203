#pragma once
// The networks of a run: their weights, averages of them, and the model that they make.
#include <array>
#include <memory>
#include <set>
#include <string_view>

#include "fresco/pipeline/model_specs.h"
#include "fresco/training/parameters.h"

namespace fresco::training {

enum class Network : uint8_t { unet, text_encoder, vae };
constexpr std::array<Network, 3> kNetworks{Network::unet, Network::text_encoder, Network::vae};
std::string_view name(Network network);  // "unet", "text_encoder", "vae"

class TrainingModel {
 public:
  /// From a model's folder, file or hub id. fresh: networks whose weights are drawn from the seed; with any, `model` is a folder, which
  /// need hold no weights of those. options: float32 or float64, and the device. Errors: as checkpoint::open_model.
  static TrainingModel open(const std::string& model, const std::set<Network>& fresh, uint64_t seed,
                            const at::TensorOptions& options, Observer& observer);

  const pipeline::ModelSpecs& specs() const { return specs_; }
  Parameters& parameters(Network network) const { return *weights_[static_cast<size_t>(network)]; }

  /// A moving average of a network's weights, laid out like its parameters; undefined: none is kept.
  at::Tensor& average(Network network) { return averages_[static_cast<size_t>(network)]; }
  const at::Tensor& average(Network network) const { return averages_[static_cast<size_t>(network)]; }
  /// As they were opened; a network that was drawn has no tensors there.
  const checkpoint::ModelFiles& opened() const { return files_; }

  /// The averages become the weights, and are no more.
  void adopt_averages();

  /// What latents are multiplied by, kept in the VAE's config.
  void set_scaling_factor(double factor);
  /// What a sampler is to know, for the scheduler's config.
  void set_scheduler(const Json& config) { files_.scheduler = config; }
  const Json& scheduler() const { return files_.scheduler; }

  /// The model as it is now: averages where there are any, else the weights. It reads them when its tensors are read: while they are trained on,
  /// it changes. half: in float16.
  checkpoint::ModelFiles files(bool half) const;

 private:
  checkpoint::ModelFiles files_;
  pipeline::ModelSpecs specs_;
  std::array<std::unique_ptr<Parameters>, 3> weights_;
  std::array<at::Tensor, 3> averages_;
};

/// Writes a model as a diffusers folder that must not exist yet: configs, tokenizer, weights. Errors: InputError, ResourceError (disk full).
void write_model(const checkpoint::ModelFiles& files, const std::filesystem::path& folder);

}  // namespace fresco::training
