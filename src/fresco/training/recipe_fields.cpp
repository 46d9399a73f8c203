#include "fresco/training/recipe_fields.h"

#include <fmt/format.h>

#include "fresco/core/names.h"

namespace fresco::training {
namespace {

constexpr Range kAny{-1e12, 1e12};
constexpr Range kShare{0, 1};
constexpr Range kSteps{0, 1e12};
constexpr Range kNotNegative{0, 1e12};
constexpr Range kAbove{0, 1e12, true};

}  // namespace

Kinds kinds_of(PhaseKind kind) {
  switch (kind) {
    case PhaseKind::diffusion:
      return kDiffusion;
    case PhaseKind::autoencoder:
      return kAutoencoder;
    case PhaseKind::attributes:
      break;
  }
  return kAttributes;
}

std::string words_of(Kinds kinds) {
  std::vector<std::string> words;
  if (kinds & kDiffusion) words.emplace_back("diffusion");
  if (kinds & kAutoencoder) words.emplace_back("autoencoder");
  if (kinds & kAttributes) words.emplace_back("attributes");
  return joined(words, " or ");
}

std::string words_of(const Range& range) {
  const bool below = range.least <= kAny.least, beyond = range.most >= 1e6;  // the larger bounds are only for sanity
  if (below && beyond) return "a number";
  if (beyond) return range.above ? fmt::format("above {}", range.least) : fmt::format("{} or more", range.least);
  if (range.above) return fmt::format("above {} and at most {}", range.least, range.most);
  return fmt::format("{} to {}", range.least, range.most);
}

void FieldVisitor::count(const Field& field, int& value, const Range& range) {
  int64_t wide = value;
  count(field, wide, {range.least, std::min(range.most, double{std::numeric_limits<int>::max()})});
  value = static_cast<int>(wide);
}

void visit_fields(data::FilterSettings& settings, FieldVisitor& visit) {
  visit.count({"min_side", "pixels of the shorter side, at least"}, settings.min_side, {0, 1 << 20});
  visit.number({"max_aspect", "longer side over shorter, at most; 0: any"}, settings.max_aspect, {0, 1e6});
  visit.count({"min_caption", "characters of the caption, at least"}, settings.min_caption, {0, 1e9});
  visit.count({"max_caption", "characters of the caption, at most; 0: any"}, settings.max_caption, {0, 1e9});
  visit.text({"caption_has", "a text that is in the caption, in upper or lower case"}, settings.caption_has);
  visit.text({"score", "a number in the sample's JSON, such as `AESTHETIC_SCORE`; samples without it are left out"},
             settings.score);
  visit.number({"min_score", "least score"}, settings.min_score);
  visit.number({"max_score", "largest score"}, settings.max_score);
}

void visit_fields(data::SourceSettings& settings, FieldVisitor& visit) {
  visit.path({"path", "a folder of pictures, tar shards (`shards/{00000..00041}.tar`, a glob, URLs), or `shapes`"},
             settings.path);
  visit.count({"count", "at most so many samples; 0: all. `shapes`: how many are drawn"}, settings.count, {0, 1e12});
  visit.seed({"seed", "`shapes`: which ones are drawn"}, settings.seed);
  visit.group({"filters", "which samples are taken"}, settings.filters);
}

void visit_fields(data::FitSettings& settings, FieldVisitor& visit) {
  visit.count({"resolution", "pixels of a square's side; with buckets, the square root of their area"},
              settings.resolution, {8, 1 << 14});
  visit.flag({"buckets", "sizes of other aspects too, in steps of 64 pixels"}, settings.buckets);
  visit.number({"max_bucket_aspect", "longer side over shorter of the longest bucket"}, settings.max_bucket_aspect,
               {1, 16});
  visit.flag({"flip", "mirrored half of the time"}, settings.flip);
}

void visit_fields(OptimizerSettings& settings, FieldVisitor& visit) {
  visit.word({"kind", "LAMB scales AdamW's step by the norms of weights and step, for large batches"}, settings.kind,
             {{"adamw", OptimizerKind::adamw}, {"lamb", OptimizerKind::lamb}});
  visit.number({"learning_rate", "at its largest; the schedule multiplies it"}, settings.learning_rate, {0, 10, true});
  visit.number({"text_learning_rate", "of the text encoder; 0: the same", kDiffusion}, settings.text_learning_rate,
               {0, 10});
  visit.number({"beta1", "share of the running mean of gradients that is kept"}, settings.beta1, {0, 0.999999});
  visit.number({"beta2", "share of the running mean of their squares that is kept"}, settings.beta2, {0, 0.999999999});
  visit.number({"eps", "added to the root of the running mean of squares"}, settings.eps, {0, 1, true});
  visit.number({"weight_decay", "share of the weights taken off, times the learning rate"}, settings.weight_decay,
               {0, 10});
  visit.number({"clip", "largest norm of all gradients together; 0: not clipped"}, settings.clip, kNotNegative);
  visit.number({"smallest_norm", "LAMB: a floor under a tensor's norm, for those that begin at zero"},
               settings.smallest_norm, kNotNegative);
  visit.flag({"decay_gains", "false: biases and gains of norms are neither decayed nor, with LAMB, adapted"},
             settings.decay_gains);
}

void visit_fields(ScheduleSettings& settings, FieldVisitor& visit) {
  visit.word({"kind", "how the learning rate goes on after the warm-up"}, settings.kind,
             {{"constant", ScheduleKind::constant},
              {"linear", ScheduleKind::linear},
              {"cosine", ScheduleKind::cosine},
              {"piecewise", ScheduleKind::piecewise}});
  visit.count({"warmup", "steps in which it rises in a line to its largest"}, settings.warmup, kSteps);
  visit.number({"final_factor", "linear, cosine: the factor it has come to after the phase's last step"},
               settings.final_factor, kShare);
  visit.points({"points", "piecewise: `[[step, factor], ...]`, straight lines between"}, settings.points);
}

void visit_fields(EmaSettings& settings, FieldVisitor& visit) {
  visit.number({"decay", "share of the average that a step keeps; 0: no average"}, settings.decay, {0, 0.9999999});
  visit.number({"power", "above 0: the decay grows as 1 - (1 + n)^-power with the steps n since the start"},
               settings.power, {0, 10});
  visit.count({"start", "step of the phase at which the average begins"}, settings.start, kSteps);
}

void visit_fields(LossSettings& settings, FieldVisitor& visit) {
  visit.word({"prediction", "what the U-Net predicts"}, settings.prediction,
             {{"velocity", sampling::Prediction::velocity}, {"epsilon", sampling::Prediction::epsilon}});
  visit.word({"min_snr", "weight by signal-to-noise ratio"}, settings.min_snr,
             {{"none", MinSnrForm::none}, {"paper", MinSnrForm::paper}, {"snr_plus_one", MinSnrForm::snr_plus_one}});
  visit.number({"gamma", "ratio beyond which the weight falls"}, settings.gamma, kAbove);
  visit.number({"floor", "least weight"}, settings.floor, kShare);
  visit.number({"noise_offset", "times noise that is the same over a whole channel"}, settings.noise_offset, kShare);
  visit.number({"late_share", "share of the samples whose timestep is drawn from `late_from` on alone"},
               settings.late_share, kShare);
  visit.count({"late_from", "first of the late timesteps"}, settings.late_from, {0, 1e6});
}

void visit_fields(NoiseSettings& settings, FieldVisitor& visit) {
  visit.word({"betas", "the schedule of the noise"}, settings.betas,
             {{"linear", sampling::Betas::linear},
              {"scaled_linear", sampling::Betas::scaled_linear},
              {"cosine", sampling::Betas::cosine}});
  visit.number({"beta_start", "linear, scaled_linear: first beta"}, settings.beta_start, {1e-6, 0.999});
  visit.number({"beta_end", "linear, scaled_linear: last beta"}, settings.beta_end, {1e-6, 0.999});
  visit.count({"train_steps", "timesteps"}, settings.train_steps, {2, 100000});
  visit.flag({"zero_terminal_snr", "rescaled so that the last timestep is noise alone"}, settings.zero_terminal_snr);
}

void visit_fields(AutoencoderSettings& settings, FieldVisitor& visit) {
  visit.number({"l1", "weight of the mean absolute difference"}, settings.l1, kNotNegative);
  visit.number({"l2", "weight of the mean squared difference"}, settings.l2, kNotNegative);
  visit.number({"kl", "weight of the divergence of the posterior from the unit normal"}, settings.kl, kNotNegative);
  visit.count({"crop", "side of a square that is cut out of each picture, anew at each visit; 0: all of it"},
              settings.crop, {0, 1 << 14});
}

void visit_fields(Phase& phase, FieldVisitor& visit) {
  visit.text({"name", "of letters, digits, `-`, `_` and `.`; without one it is number and kind"}, phase.name);
  visit.word({"kind", "what is trained: U-Net on latents and captions; VAE on pictures; text encoder on attributes"},
             phase.kind,
             {{"diffusion", PhaseKind::diffusion},
              {"autoencoder", PhaseKind::autoencoder},
              {"attributes", PhaseKind::attributes}});
  visit.list({"data", "sources of samples; one alone may stand without a list"}, phase.data);
  visit.group({"fit", "what size pictures are brought to", Kinds(kDiffusion | kAutoencoder)}, phase.fit);
  visit.path({"cache", "folder of a prepared cache; without one it is made under the run's folder", kDiffusion},
             phase.cache);
  visit.count({"steps", "optimiser steps"}, phase.steps, kSteps);
  visit.count({"batch", "samples a step, over all processes"}, phase.batch, {0, 1e9});
  visit.count({"micro_batch", "samples at once in one process; 0: all of its share"}, phase.micro_batch, {0, 1e9});
  visit.group({"optimizer", "how gradients change weights"}, phase.optimizer);
  visit.group({"schedule", "how the learning rate goes with the steps"}, phase.schedule);
  visit.group({"ema", "average of the weights"}, phase.ema);
  visit.group({"loss", "what is made small", kDiffusion}, phase.loss);
  visit.group({"noise", "how noise grows with the timestep", kDiffusion}, phase.noise);
  visit.group({"autoencoder", "the VAE's loss", kAutoencoder}, phase.autoencoder);
  visit.number({"caption_dropout", "share of captions left empty, for guidance; drawn anew at every visit", kDiffusion},
               phase.caption_dropout, kShare);
  visit.word({"precision", "of products; weights, gradients and averages stay float32 (float64 with `f64`)"},
             phase.precision,
             {{"f32", TrainPrecision::f32}, {"bf16", TrainPrecision::bf16}, {"f64", TrainPrecision::f64}});
  visit.flag(
      {"gradient_checkpointing", "compute cells again instead of keeping them: less memory, more time", kDiffusion},
      phase.gradient_checkpointing);
  visit.flag(
      {"shard_optimizer", "each process keeps its share of the optimiser's state alone: less memory, more exchange"},
      phase.shard_optimizer);
  visit.word({"train", "which networks learn", kDiffusion}, phase.train,
             {{"unet", Trained::unet}, {"text_encoder", Trained::text_encoder}, {"both", Trained::both}});
}

void visit_fields(WatchSettings& settings, FieldVisitor& visit) {
  visit.count({"log_every", "steps between records; 0: none"}, settings.log_every, kSteps);
  visit.count({"checkpoint_every", "steps between checkpoints; 0: only at the end of phases"},
              settings.checkpoint_every, kSteps);
  visit.count({"sample_every", "steps between grids of the prompts; 0: none"}, settings.sample_every, kSteps);
  visit.count({"validate_every", "steps between validations; 0: none"}, settings.validate_every, kSteps);
  visit.texts({"prompts", "what is drawn, always with the same noise"}, settings.prompts);
  visit.count({"sample_steps", "sampler steps of these drawings"}, settings.sample_steps, {1, 1000});
  visit.number({"sample_guidance", "their guidance"}, settings.sample_guidance, {0, 100});
  visit.number({"sample_guidance_rescale", "their guidance rescale"}, settings.sample_guidance_rescale, kShare);
  visit.count({"validation_samples", "samples kept out of training, for the validation loss"},
              settings.validation_samples, {0, 1e9});
  visit.number({"spike", "a loss beyond so many times its running mean is undone; 0: none is"}, settings.spike,
               {0, 1e6});
  visit.count({"most_rollbacks", "so many times, then the run stops"}, settings.most_rollbacks, {0, 1e6});
}

void visit_fields(Recipe& recipe, FieldVisitor& visit) {
  visit.text({"name", "what the run is called; without one, the file's name"}, recipe.name);
  visit.seed({"seed", "of weights, order, noise, timesteps and dropout"}, recipe.seed);
  visit.model({"model", "folder of a model, or of its configs alone"}, recipe.model);
  visit.flag({"from_nothing", "networks that a phase trains begin with new weights; false: with the model's"},
             recipe.from_nothing);
  visit.flag({"half_weights", "the model is written in float16; false: in float32"}, recipe.half_weights);
  visit.list({"phases", "one after the other"}, recipe.phases);
  visit.group({"watch", "what is shown and kept while a run goes on"}, recipe.watch);
}

}  // namespace fresco::training
