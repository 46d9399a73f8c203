#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "fresco/data/picture_loader.h"
#include "fresco/data/random_tensors.h"
#include "fresco/training/phase_data.h"
#include "fresco/vae/multiply_adds.h"
#include "fresco/vae/vae.h"

namespace fresco::training {
namespace {

using data::Purpose;

constexpr int64_t kMeasured = 256;  // pictures that the latents' scale is measured on

class AutoencoderTask : public PhaseTask {
 public:
  explicit AutoencoderTask(const PhaseNeeds& needs)
      : needs_(needs),
        seed_(data::derived_seed(needs.recipe.seed, static_cast<uint64_t>(needs.index))),
        pictures_(open_pictures(needs)),
        order_(pictures_->buckets(), needs.phase.batch, seed_) {
    auto& weights = needs.model.parameters(Network::vae);
    vae_ = std::make_unique<vae::Vae>(needs.model.specs().vae, weights, preparation_for(needs.phase, weights));
    weights_ = {{"vae", &weights, &needs.model.average(Network::vae), needs.phase.optimizer.learning_rate}};
  }

  StepOutcome accumulate(int64_t step, const std::function<void()>& before_last) override {
    if (!loader_ || step != next_step_) start_loader(step);
    StepOutcome outcome;
    const double waited = loader_->seconds_waited();
    const auto batches = loader_->next();
    outcome.wait_seconds = loader_->seconds_waited() - waited;
    ++next_step_;
    for (const auto& batch : batches) {
      tell_skipped(batch);
      if (&batch == &batches.back()) before_last();
      const auto share = static_cast<double>(batch.visits.size()) / static_cast<double>(needs_.phase.batch);
      const auto value = loss(batch) * share;
      value.backward();
      outcome.loss += value.item<double>();
    }
    return outcome;
  }

  int64_t samples() const override { return pictures_->size(); }

  double flops() const override {
    const auto& spec = needs_.model.specs().vae;
    const auto& bucket = pictures_->buckets().front();
    const int64_t crop = needs_.phase.autoencoder.crop;
    const int64_t height = (crop > 0 ? crop : bucket.height) / spec.scale();
    const int64_t width = (crop > 0 ? crop : bucket.width) / spec.scale();
    const auto both = vae::encoder_multiply_adds(spec, height, width).total() +
                      vae::decoder_multiply_adds(spec, height, width).total();
    return flops_of(both, needs_.phase.batch);
  }

  // Latents of the training pictures are to have unit deviation (Rombach et al. 2022, section D.1 of its appendix).
  void finish() override { needs_.model.set_scaling_factor(1 / latent_deviation()); }

 private:
  void start_loader(int64_t step) {
    data::PictureLoaderSettings settings{
        .batch = needs_.phase.batch, .micro_batch = needs_.phase.micro_batch, .seed = seed_};
    settings.rank = needs_.workers.rank();
    settings.processes = needs_.workers.size();
    settings.crop = needs_.phase.autoencoder.crop;
    settings.flip = needs_.phase.fit.flip;
    settings.first_step = step;
    settings.end_step = INT64_MAX;
    loader_ = std::make_unique<data::PictureLoader>(*pictures_, order_, settings);
    next_step_ = step;
  }

  void tell_skipped(const data::PictureBatch& batch) {
    for (const auto& sample : batch.skipped)
      needs_.observer.on_event(
          {.kind = EventKind::skipped, .text = sample.key + ": " + sample.reason, .count = ++skipped_});
  }

  // Means over the samples' pixels and latents.
  at::Tensor loss(const data::PictureBatch& batch) const {
    const auto& settings = needs_.phase.autoencoder;
    const auto pictures = batch.pictures.to(needs_.model.parameters(Network::vae).values().options());
    const auto moments = vae_->encode(pictures);
    const auto parts = moments.chunk(2, 1);
    const auto noise = data::normal(seed_, Purpose::posterior, batch.visits, parts[0].sizes().slice(1));
    const auto difference = vae_->decode(vae::sample_posterior(moments, noise.to(moments.options()))) - pictures;
    const auto variance = parts[1].clamp(-30.0, 20.0);
    const auto divergence = 0.5 * (parts[0].square() + variance.exp() - 1 - variance).mean();
    auto sum = settings.kl * divergence;
    if (settings.l1 > 0) sum = sum + settings.l1 * difference.abs().mean();
    if (settings.l2 > 0) sum = sum + settings.l2 * difference.square().mean();
    return sum;
  }

  double latent_deviation() const {
    const c10::InferenceMode no_gradients;
    const layers::Preparation preparation;
    const auto files = needs_.model.files(/*half=*/false);
    const vae::Vae vae(needs_.model.specs().vae, layers::CheckpointWeights(files.vae.tensors, preparation),
                       preparation);
    double sum = 0, squares = 0, count = 0;
    const int64_t all = pictures_->size(), measured = std::min(all, kMeasured);
    for (int64_t i = 0; i < measured; ++i) {
      const int64_t position = i * all / measured;
      const auto moments = vae.encode(pictures_->picture(position, false).unsqueeze(0));
      const std::vector<int64_t> visit{i};
      auto shape = moments.sizes().slice(1).vec();
      shape[0] /= 2;
      const auto latents =
          vae::sample_posterior(moments, data::normal(seed_, Purpose::validation_posterior, visit, shape));
      sum += latents.sum(at::kDouble).item<double>();
      squares += latents.square().sum(at::kDouble).item<double>();
      count += static_cast<double>(latents.numel());
    }
    return std::sqrt(squares / count - sum / count * (sum / count));
  }

  PhaseNeeds needs_;
  uint64_t seed_;
  std::unique_ptr<data::PictureSet> pictures_;
  data::SampleOrder order_;
  std::unique_ptr<vae::Vae> vae_;
  std::unique_ptr<data::PictureLoader> loader_;
  int64_t next_step_ = 0, skipped_ = 0;
};

}  // namespace

std::unique_ptr<PhaseTask> make_autoencoder_task(const PhaseNeeds& needs) {
  return std::make_unique<AutoencoderTask>(needs);
}

}  // namespace fresco::training
