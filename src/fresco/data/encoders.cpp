#include "fresco/data/encoders.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/core/sha256.h"
#include "fresco/layers/packed_source.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/torch_errors.h"

namespace fresco::data {

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
    const auto files = checkpoint::open_model(options.files, observer);
    const auto preparation = pipeline::preparation_for(options, files);
    const auto specs = pipeline::read_specs(files);
    if (specs.vae.picture_channels != 3)
      throw FormatError(files.vae.config_place, expected_got("a VAE of pictures with 3 channels",
                                                             fmt::format("{}", specs.vae.picture_channels)));
    auto tokenizer = tokenizer_of(files);
    auto words = tokenizer_hash(tokenizer);
    const auto weights = layers::open_weights(files.vae.tensors, preparation);
    return Encoders{.vae = vae::Vae(specs.vae, *weights, preparation),
                    .tokenizer = std::move(tokenizer),
                    .vae_hash = vae_hash(files, observer),
                    .tokenizer_hash = std::move(words),
                    .precision = std::string(name(pipeline::precision_of(preparation))),
                    .on_cpu = preparation.device.is_cpu()};
  });
}

}  // namespace fresco::data
