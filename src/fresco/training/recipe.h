#pragma once
// What a recipe says: the phases of a training and everything that decides the weights. Read by
// read_recipe(); docs/training.md lists the keys, which are the names here. Free of libtorch.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fresco/data/source_settings.h"
#include "fresco/sampling/settings.h"

namespace fresco::training {

/// diffusion: U-Net (and text encoder) on latents and captions; autoencoder: the VAE on pictures; attributes:
/// the text encoder on captions, with linear heads that predict the fields of each sample's JSON and are
/// dropped afterwards.
enum class PhaseKind : uint8_t { diffusion, autoencoder, attributes };
enum class OptimizerKind : uint8_t { adamw, lamb };
enum class ScheduleKind : uint8_t { constant, linear, cosine, piecewise };
enum class Trained : uint8_t { unet, text_encoder, both };
enum class TrainPrecision : uint8_t { f32, bf16, f64 };
/// Weight of a sample's loss by its signal-to-noise ratio, for v-prediction (loss_weights() has all).
///   none          1
///   paper         min(SNR, gamma)/(SNR + 1), Hang et al. 2023
///   snr_plus_one  min(SNR + 1, gamma)/(SNR + 1), which stays 1 at zero SNR
enum class MinSnrForm : uint8_t { none, paper, snr_plus_one };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::adamw;
  double learning_rate = 1e-4;
  double text_learning_rate = 0;  // of the text encoder; 0: the same
  double beta1 = 0.9, beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;
  double clip = 1;           // largest norm of all gradients together; 0: not clipped
  double smallest_norm = 0;  // LAMB: a floor under the norm of a tensor, for those that begin at zero
  bool decay_gains = true;   // false: biases and gains of norms are not decayed (nor, with LAMB, adapted)
};

/// The learning rate's factor, a pure function of the phase's step.
struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::constant;
  int64_t warmup = 0;                              // steps from 0 to 1, linear
  double final_factor = 0;                         // linear, cosine: where it has come to after the phase's last step
  std::vector<std::pair<int64_t, double>> points;  // piecewise: step and factor, linear between
};

/// Exponential moving average of the weights. With a power, the decay of step n since the start is
/// min(decay, 1 - (1 + n)^-power).
struct EmaSettings {
  double decay = 0;  // 0: none
  double power = 0;
  int64_t start = 0;  // the phase's step at which it begins, from the weights as they are then
};

struct LossSettings {
  sampling::Prediction prediction = sampling::Prediction::velocity;
  MinSnrForm min_snr = MinSnrForm::snr_plus_one;
  double gamma = 5;
  double floor = 0;         // least weight
  double noise_offset = 0;  // times noise of one value for each sample and channel
  double late_share = 0;    // share of the samples whose timestep is drawn from `late_from` on alone
  int64_t late_from = 780;
};

struct NoiseSettings {
  sampling::Betas betas = sampling::Betas::scaled_linear;
  double beta_start = 0.00085, beta_end = 0.012;
  int64_t train_steps = 1000;
  bool zero_terminal_snr = false;
};

struct AutoencoderSettings {
  double l1 = 1, l2 = 0, kl = 1e-6;  // weights of means over pixels, pixels, and latents
  int64_t crop = 0;                  // side of the square cut out of each picture, anew at each visit; 0: all of it
};

struct Phase {
  std::string name;
  PhaseKind kind = PhaseKind::diffusion;
  std::vector<data::SourceSettings> data;
  data::FitSettings fit;  // resolution, buckets, flips
  std::string cache;      // folder of a prepared cache; empty: one is made under the run's folder
  int64_t steps = 0;
  int64_t batch = 0;        // samples a step, over all processes
  int64_t micro_batch = 0;  // samples at once in one process; 0: all of its share
  OptimizerSettings optimizer;
  ScheduleSettings schedule;
  EmaSettings ema;
  LossSettings loss;
  NoiseSettings noise;
  AutoencoderSettings autoencoder;
  double caption_dropout = 0.1;
  TrainPrecision precision = TrainPrecision::f32;
  bool gradient_checkpointing = false;
  bool shard_optimizer = false;  // each process keeps its share of the optimiser's state alone
  Trained train = Trained::unet;
};

/// What is shown and kept while a run goes on. Counts are steps; 0: never.
struct WatchSettings {
  int64_t log_every = 10;
  int64_t checkpoint_every = 1000;
  int64_t sample_every = 1000;
  int64_t validate_every = 1000;
  std::vector<std::string> prompts;
  int sample_steps = 30;
  double sample_guidance = 5, sample_guidance_rescale = 0.7;
  int64_t validation_samples = 64;  // kept out of training
  double spike = 4;                 // a loss beyond so many times its running mean counts as one; 0: none does
  int most_rollbacks = 5;
};

struct Recipe {
  std::string place;  // the file, for messages; folders in it are relative to its own
  std::string name;
  uint64_t seed = 0;
  std::string model;         // folder of a model or of its configs alone
  bool from_nothing = true;  // weights are drawn anew; false: those of the model
  bool half_weights = true;  // the model is written in float16; false: float32
  std::vector<Phase> phases;
  WatchSettings watch;
};

}  // namespace fresco::training
