#include "fresco/training/phase_data.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "fresco/core/sha256.h"
#include "fresco/data/latent_cache.h"
#include "fresco/data/picture_files.h"
#include "fresco/data/prepare_cache.h"

namespace fresco::training {
namespace {

// A VAE that no phase has trained yet is the opened model's own, to the bit and to its hash.
checkpoint::ModelFiles files_with_vae(const PhaseNeeds& needs) {
  auto files = needs.model.files(/*half=*/false);
  const auto& phases = needs.recipe.phases;
  const bool trained = std::ranges::any_of(phases.begin(), phases.begin() + needs.index,
                                           [](const Phase& phase) { return phase.kind == PhaseKind::autoencoder; });
  if (!trained) files.vae.tensors = needs.model.opened().vae.tensors;
  return files;
}

data::Encoders encoders_of(const PhaseNeeds& needs) {
  const c10::InferenceMode no_gradients;
  const layers::Preparation preparation;
  const auto files = files_with_vae(needs);
  auto tokenizer = data::tokenizer_of(files);
  auto words = data::tokenizer_hash(tokenizer);
  return {
      .vae = vae::Vae(needs.model.specs().vae, layers::CheckpointWeights(files.vae.tensors, preparation), preparation),
      .tokenizer = std::move(tokenizer),
      .vae_hash = data::vae_hash(files, needs.observer),
      .tokenizer_hash = std::move(words),
      .precision = "f32",
      .on_cpu = true};
}

// Phases of the same pictures at the same size share a cache.
std::filesystem::path own_cache(const PhaseNeeds& needs, const std::string& vae_hash) {
  std::string about = vae_hash;
  for (const auto& source : needs.phase.data) {
    const auto& f = source.filters;
    about += fmt::format("|{} {} {} {} {} {} {} {} {} {} {}", source.path, source.count, source.seed, f.min_side,
                         f.max_aspect, f.min_caption, f.max_caption, f.caption_has, f.score, f.min_score.value_or(0),
                         f.max_score.value_or(0));
  }
  const auto& fit = needs.phase.fit;
  about += fmt::format("|{} {} {} {}", fit.resolution, fit.buckets, fit.max_bucket_aspect, fit.flip);
  return needs.folder / "cache" / fmt::format("{}-{}", fit.resolution, sha256_hex(about).substr(0, 12));
}

void prepare(const PhaseNeeds& needs, const data::Encoders& encoders, const std::filesystem::path& folder) {
  const auto pictures = open_pictures(needs);
  const data::CacheSettings settings{.out = folder, .mirrored = needs.phase.fit.flip};
  const auto report = data::prepare_cache(*pictures, encoders, settings, needs.observer);
  if (report.skipped == 0) return;
  needs.observer.on_warning(fmt::format("{} of {} samples could not be used; {} names them", report.skipped,
                                        report.samples + report.skipped, (folder / data::kCacheIndex).string()));
}

}  // namespace

std::unique_ptr<data::PictureSet> open_pictures(const PhaseNeeds& needs) {
  const data::SourceContext context{.needs_captions = needs.phase.kind != PhaseKind::autoencoder};
  auto pictures = std::make_unique<data::PictureFiles>(needs.phase.data, needs.phase.fit, context, needs.observer);
  if (const auto text = pictures->skipped().text(); !text.empty()) needs.observer.on_warning(text);
  return pictures;
}

std::unique_ptr<data::TrainingSet> open_latents(const PhaseNeeds& needs) {
  const auto encoders = encoders_of(needs);
  const bool given = !needs.phase.cache.empty();
  const auto folder = given ? std::filesystem::path(needs.phase.cache) : own_cache(needs, encoders.vae_hash);
  if (!given)
    needs.workers.first_alone([&] { prepare(needs, encoders, folder); }, [&] { check_cancelled(needs.observer); });
  const data::CacheNeeds wanted{encoders.vae_hash, encoders.tokenizer_hash, needs.model.specs().vae.latent_channels,
                                needs.phase.fit.flip};
  return std::make_unique<data::LatentCache>(folder, wanted);
}

layers::Preparation preparation_for(const Phase& phase, const Parameters& parameters) {
  const auto& values = parameters.values();
  layers::Preparation preparation{.device = values.device(), .type = values.scalar_type()};
  const bool narrow = phase.precision == TrainPrecision::bf16;
  // On a CPU products alone are narrow, on a GPU all activations are; weights, gradients and the loss are float32 on both.
  if (narrow && values.is_cuda()) preparation.type = at::kBFloat16;
  if (narrow && values.is_cpu()) preparation.products = ops::Products::bf16;
  preparation.recompute_cells = phase.gradient_checkpointing;
  return preparation;
}

at::Tensor positions_of(std::span<const data::Pick> picks) {
  auto positions = at::empty({static_cast<int64_t>(picks.size())}, at::kLong);
  for (size_t i = 0; i < picks.size(); ++i) positions.mutable_data_ptr<int64_t>()[i] = picks[i].position;
  return positions;
}

}  // namespace fresco::training
