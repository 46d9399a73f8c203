#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/data/batch_loader.h"
#include "fresco/data/latent_cache.h"
#include "fresco/data/prepare_cache.h"
#include "fresco/data/random_tensors.h"
#include "fresco/text/multiply_adds.h"
#include "fresco/text/text_encoder.h"
#include "fresco/training/diffusion_loss.h"
#include "fresco/training/noise_tables.h"
#include "fresco/training/phase_data.h"
#include "fresco/training/validation.h"
#include "fresco/unet/multiply_adds.h"
#include "fresco/unet/unet.h"

namespace fresco::training {
namespace {

using data::Purpose;

LossTables loss_tables(const Phase& phase, const at::Device& device) {
  const auto tables = make_noise_tables(phase.noise);
  const auto tensor = [&](const std::vector<double>& values) { return at::tensor(values, at::kDouble).to(device); };
  return {tensor(tables.signal), tensor(tables.noise), tensor(loss_weights(tables, phase.loss))};
}

// What a sampler has to know about how the network was trained.
Json scheduler_of(const Phase& phase, const Json& given) {
  Json config = given.is_object() ? given : Json::object();
  const auto& noise = phase.noise;
  const auto betas = noise.betas == sampling::Betas::cosine          ? "squaredcos_cap_v2"
                     : noise.betas == sampling::Betas::scaled_linear ? "scaled_linear"
                                                                     : "linear";
  const auto prediction = phase.loss.prediction == sampling::Prediction::velocity ? "v_prediction" : "epsilon";
  if (!config.contains("_class_name")) config["_class_name"] = "DDIMScheduler";
  config.update({{"num_train_timesteps", noise.train_steps},
                 {"beta_schedule", betas},
                 {"beta_start", noise.beta_start},
                 {"beta_end", noise.beta_end},
                 {"prediction_type", prediction},
                 {"rescale_betas_zero_snr", noise.zero_terminal_snr},
                 {"clip_sample", false},
                 {"trained_betas", nullptr}});
  if (noise.zero_terminal_snr) config["timestep_spacing"] = "trailing";
  return config;
}

class DiffusionTask : public PhaseTask {
 public:
  explicit DiffusionTask(const PhaseNeeds& needs)
      : needs_(needs),
        seed_(data::derived_seed(needs.recipe.seed, static_cast<uint64_t>(needs.index))),
        tables_(loss_tables(needs.phase, needs.model.parameters(Network::unet).values().device())),
        set_(open_latents(needs)),
        split_(split_for_validation(set_->buckets(), needs.recipe.watch.validation_samples, seed_)),
        order_(split_.training, needs.phase.batch, seed_) {
    needs.model.set_scheduler(scheduler_of(needs.phase, needs.model.scheduler()));
    build_networks();
    name_weights();
  }

  StepOutcome accumulate(int64_t step, const std::function<void()>& before_last) override {
    if (!loader_ || step != next_step_) start_loader(step);
    StepOutcome outcome;
    const double waited = loader_->seconds_waited();
    const auto micros = loader_->next();
    outcome.wait_seconds = loader_->seconds_waited() - waited;
    ++next_step_;
    for (const auto& micro : micros) {
      if (&micro == &micros.back()) before_last();
      const auto value = loss(micro);
      value.backward();
      outcome.loss += value.item<double>();
    }
    return outcome;
  }

  std::optional<TrainEvent> validate() override {
    if (split_.kept_out.empty()) return std::nullopt;
    return validation_loss({needs_.model, needs_.phase, *set_, split_.kept_out, tables_, seed_});
  }

  int64_t samples() const override { return set_->size() - split_.kept_out_count(); }

  double flops() const override {
    const auto& bucket = split_.training.front();
    const auto& specs = needs_.model.specs();
    const int64_t scale = specs.vae.scale();
    const auto unet = unet::multiply_adds(specs.unet, bucket.height / scale, bucket.width / scale).total();
    const auto text = text::multiply_adds(specs.text).total();
    const int64_t frozen = trains(Network::text_encoder) ? 0 : text;
    return flops_of(unet + text - frozen, needs_.phase.batch) + 2.0 * static_cast<double>(frozen * needs_.phase.batch);
  }

 private:
  bool trains(Network network) const {
    return needs_.phase.train == Trained::both || (needs_.phase.train == Trained::unet) == (network == Network::unet);
  }

  void build_networks() {
    auto& model = needs_.model;
    auto& unet = model.parameters(Network::unet);
    auto& text = model.parameters(Network::text_encoder);
    const auto preparation = preparation_for(needs_.phase, unet);
    unet_ = std::make_unique<unet::UNet>(model.specs().unet, unet, preparation);
    if (trains(Network::text_encoder)) {
      text_ = std::make_unique<text::TextEncoder>(model.specs().text, text, preparation);
    } else {  // as it draws
      const layers::Preparation frozen{.device = preparation.device, .type = preparation.type};
      const auto files = model.files(/*half=*/false);
      text_ = std::make_unique<text::TextEncoder>(
          model.specs().text, layers::CheckpointWeights(files.text_encoder.tensors, frozen), frozen);
    }
  }

  void name_weights() {
    auto& model = needs_.model;
    const auto& optimizer = needs_.phase.optimizer;
    const double text_rate = optimizer.text_learning_rate > 0 ? optimizer.text_learning_rate : optimizer.learning_rate;
    const auto add = [&](Network network, double rate) {
      if (trains(network))
        weights_.push_back({std::string(name(network)), &model.parameters(network), &model.average(network), rate});
    };
    add(Network::unet, optimizer.learning_rate);
    add(Network::text_encoder, text_rate);
  }

  void start_loader(int64_t step) {
    data::LoaderSettings settings{.batch = needs_.phase.batch, .micro_batch = needs_.phase.micro_batch, .seed = seed_};
    settings.rank = needs_.workers.rank();
    settings.processes = needs_.workers.size();
    settings.caption_dropout = needs_.phase.caption_dropout;
    settings.empty_ids = data::caption_ids(data::tokenizer_of(needs_.model.opened()), "");
    settings.flip = needs_.phase.fit.flip;
    settings.first_step = step;
    settings.end_step = INT64_MAX;
    loader_ = std::make_unique<data::BatchLoader>(*set_, order_, settings);
    next_step_ = step;
  }

  at::Tensor loss(const data::MicroBatch& micro) const {
    const auto options = needs_.model.parameters(Network::unet).values().options();
    const auto& visits = micro.visits;
    const auto moments = micro.moments.to(options);
    auto shape = moments.sizes().slice(1).vec();
    shape[0] /= 2;
    const auto normal = [&](Purpose purpose) { return data::normal(seed_, purpose, visits, shape).to(options); };
    const auto latents =
        vae::sample_posterior(moments, normal(Purpose::posterior)) * needs_.model.specs().vae.scaling_factor;
    auto noise = normal(Purpose::noise);
    if (needs_.phase.loss.noise_offset > 0)
      noise = noise + needs_.phase.loss.noise_offset *
                          data::normal(seed_, Purpose::noise_offset, visits, {shape[0], 1, 1}).to(options);
    const auto times = timesteps(visits).to(options.device());
    const auto given = noised(tables_, needs_.phase.loss.prediction, latents, noise, times);
    const auto context = text(micro.ids);
    const auto predicted = unet_->forward(given.noisy, times.to(at::kFloat), unet_->bind(context)).to(options);
    return diffusion_loss(given, predicted, needs_.phase.batch);
  }

  at::Tensor text(const at::Tensor& ids) const {
    if (trains(Network::text_encoder)) return text_->forward(ids);
    const c10::NoGradGuard guard;
    return text_->forward(ids);
  }

  at::Tensor timesteps(const std::vector<int64_t>& visits) const {
    const auto& loss = needs_.phase.loss;
    const int64_t all = needs_.phase.noise.train_steps;
    const auto even = data::integers(seed_, Purpose::timestep, visits, 0, all);
    if (loss.late_share <= 0) return even;
    const auto late = data::integers(seed_, Purpose::late_timestep, visits, loss.late_from, all);
    const auto chosen = data::uniform(seed_, Purpose::late_choice, visits) < loss.late_share;
    return at::where(chosen, late, even);
  }

  PhaseNeeds needs_;
  uint64_t seed_;
  LossTables tables_;
  std::unique_ptr<data::TrainingSet> set_;
  ValidationSplit split_;
  data::SampleOrder order_;
  std::unique_ptr<unet::UNet> unet_;
  std::unique_ptr<text::TextEncoder> text_;
  std::unique_ptr<data::BatchLoader> loader_;
  int64_t next_step_ = 0;
};

}  // namespace

std::unique_ptr<PhaseTask> make_diffusion_task(const PhaseNeeds& needs) {
  return std::make_unique<DiffusionTask>(needs);
}

}  // namespace fresco::training
