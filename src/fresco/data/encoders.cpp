#include "fresco/data/encoders.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "fresco/checkpoint/folder.h"
#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/core/sha256.h"
#include "fresco/layers/packed_source.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

// A folder whose U-Net is still to be trained is a model too here.
checkpoint::ModelFiles open_parts(const checkpoint::ModelRequest& request, Observer& observer) {
  const fs::path folder = request.model;
  if (!fs::is_directory(folder) || !request.vae.empty()) return checkpoint::open_model(request, observer);
  checkpoint::ModelFiles files{.given = request.model, .root = folder, .vae = checkpoint::open_vae_folder(folder)};
  const FileSet words(folder / "tokenizer");
  if (words.has("vocab.json") || words.has("tokenizer.json")) files.tokenizer = words;
  return files;
}

layers::Preparation preparation_of(const pipeline::LoadOptions& options, const checkpoint::ModelFiles& files) {
  // Calibrations and packed weights tell about whole models.
  return files.unet.tensors ? pipeline::preparation_for(options, files) : pipeline::preparation_for(options);
}

}  // namespace

text::Tokenizer tokenizer_of(const checkpoint::ModelFiles& files) {
  return files.tokenizer.none() ? text::Tokenizer::built_in() : text::Tokenizer::load(files.tokenizer);
}

std::string vae_hash(const checkpoint::ModelFiles& files, Observer& observer) {
  checkpoint::ModelFiles alone;
  alone.vae = files.vae;
  return checkpoint::weights_hash(alone, observer);
}

std::string tokenizer_hash(const text::Tokenizer& tokenizer) {
  Sha256 hash;
  const auto count = static_cast<int64_t>(tokenizer.vocabulary_size());
  for (int64_t id = 0; id < count; ++id) {
    const std::string text = tokenizer.decode({id});
    const auto tokens = tokenizer.encode(text, 16);
    hash.update(text);
    hash.update(std::as_bytes(std::span(tokens.ids)));
  }
  return hash.hex();
}

std::vector<int32_t> caption_ids(const text::Tokenizer& tokenizer, const std::string& caption) {
  const auto tokens = tokenizer.encode(caption);
  return {tokens.ids.begin(), tokens.ids.end()};
}

Encoders load_encoders(const pipeline::LoadOptions& options, Observer& observer) {
  return pipeline::with_plain_errors([&] {
    const c10::InferenceMode no_gradients;
    if (options.threads > 0) at::set_num_threads(options.threads);
    pipeline::preparation_for(options);  // refuses before anything is downloaded
    const auto files = open_parts(options.files, observer);
    const auto preparation = preparation_of(options, files);
    const auto spec = vae::read_vae_spec(files.vae.config, files.vae.config_place);
    if (spec.picture_channels != 3)
      throw FormatError(files.vae.config_place,
                        expected_got("a VAE of pictures with 3 channels", fmt::format("{}", spec.picture_channels)));
    auto tokenizer = tokenizer_of(files);
    auto words = tokenizer_hash(tokenizer);
    const auto weights = layers::open_weights(files.vae.tensors, preparation);
    return Encoders{.vae = vae::Vae(spec, *weights, preparation),
                    .tokenizer = std::move(tokenizer),
                    .vae_hash = vae_hash(files, observer),
                    .tokenizer_hash = std::move(words),
                    .precision = std::string(name(pipeline::precision_of(preparation))),
                    .on_cpu = preparation.device.is_cpu()};
  });
}

}  // namespace fresco::data
