#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <chrono>
#include <future>

#include "fresco/core/error.h"
#include "fresco/core/memory.h"
#include "fresco/layers/packed_source.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::pipeline {
namespace {

constexpr int64_t kSmallestSide = 64;  // pixels: a model that cannot draw even this is not worth loading

// Tells the observer how far loading is, over all parts together.
class LoadProgress {
 public:
  LoadProgress(Observer& observer, uint64_t total) : observer_(observer), total_(total) {}
  void operator()(uint64_t bytes) {
    check_cancelled(observer_);
    done_ += bytes;
    observer_.on_transfer({"load", done_, total_});
  }

 private:
  Observer& observer_;
  uint64_t done_ = 0, total_;
};

text::Tokenizer tokenizer_of(const checkpoint::ModelFiles& files) {
  return files.tokenizer.none() ? text::Tokenizer::built_in() : text::Tokenizer::load(files.tokenizer);
}

std::shared_ptr<Model::Impl> load_parts(checkpoint::ModelFiles files, ModelSpecs specs,
                                        const layers::Preparation& preparation, Observer& observer) {
  LoadProgress progress(observer, stored_bytes(files));
  // Reading a vocabulary takes a fifth of a second of one processor; weights wait for memory meanwhile.
  auto reading = std::async(std::launch::async, [&files] { return tokenizer_of(files); });
  const auto weights = [&](const checkpoint::Part& part) {
    return layers::open_weights(part.tensors, preparation, [&](uint64_t bytes) { progress(bytes); });
  };
  text::TextEncoder text_encoder(specs.text, *weights(files.text_encoder), preparation);
  unet::UNet unet(specs.unet, *weights(files.unet), preparation);
  vae::Vae vae(specs.vae, *weights(files.vae), preparation);
  auto tokenizer = reading.get();
  if (static_cast<int64_t>(tokenizer.vocabulary_size()) > specs.text.vocabulary)
    throw FormatError(files.tokenizer.place().string(),
                      fmt::format("the tokenizer has {} words, the text encoder knows {}", tokenizer.vocabulary_size(),
                                  specs.text.vocabulary));
  const auto precision = precision_of(preparation);
  return std::shared_ptr<Model::Impl>(
      new Model::Impl{.files = std::move(files),
                      .specs = std::move(specs),
                      .preparation = preparation,
                      .device = preparation.device.is_cuda() ? Device::cuda : Device::cpu,
                      .precision = precision,
                      .tokenizer = std::move(tokenizer),
                      .text_encoder = std::move(text_encoder),
                      .unet = std::move(unet),
                      .vae = std::move(vae)});
}

void set_threads(const LoadOptions& options) {
  if (options.threads < 0)
    throw InputError("--threads", expected_got("a number from 0", fmt::format("{}", options.threads)));
  if (options.threads > 0) at::set_num_threads(options.threads);
}

}  // namespace

Model Model::load(const LoadOptions& options, Observer& observer) {
  return with_plain_errors([&] {
    set_threads(options);
    preparation_for(options);  // refuses before anything is downloaded
    return load(checkpoint::open_model(options.files, observer), options, observer);
  });
}

Model Model::load(checkpoint::ModelFiles files, const LoadOptions& options, Observer& observer) {
  const auto begin = std::chrono::steady_clock::now();
  observer.on_stage_start("load");
  return with_plain_errors([&] {
    const c10::InferenceMode no_gradients;
    set_threads(options);
    const auto preparation = preparation_for(options, files);
    tell_fit(files, preparation, observer);
    auto specs = read_specs(files);
    require_memory(files, specs, preparation, kSmallestSide, kSmallestSide);
    Model model;
    model.impl_ = load_parts(std::move(files), std::move(specs), preparation, observer);
    release_freed_memory();  // configs, vocabulary and what conversion needed on the way
    observer.on_stage("load", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return model;
  });
}

checkpoint::Family Model::family() const { return impl_->files.family; }
const Defaults& Model::defaults() const { return impl_->specs.defaults; }
Device Model::device() const { return impl_->device; }
Precision Model::precision() const { return impl_->precision; }

std::optional<int> Model::measured_psnr() const {
  const layers::Preparation& preparation = impl_->preparation;
  if (!preparation.device.is_cpu() || preparation.ops == "reference") return std::nullopt;
  return fresco::measured_psnr(impl_->precision);
}

const checkpoint::Calibration* Model::calibration() const { return impl_->preparation.calibration.get(); }

const std::string& Model::weights_hash() const {
  std::call_once(impl_->hashed, [&] { impl_->hash = checkpoint::weights_hash(impl_->files, no_observer()); });
  return impl_->hash;
}

}  // namespace fresco::pipeline
