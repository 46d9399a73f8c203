#pragma once
// The loss on samples that are not trained on, with noise and timesteps that never change.
#include <vector>

#include "fresco/data/training_set.h"
#include "fresco/training/diffusion_loss.h"
#include "fresco/training/observer.h"
#include "fresco/training/training_model.h"

namespace fresco::training {

struct ValidationSplit {
  std::vector<data::Bucket> training, kept_out;
  int64_t kept_out_count() const;
};

/// Keeps `count` samples out of training, of each bucket its share, chosen by the seed; at most a tenth of a bucket.
ValidationSplit split_for_validation(const std::vector<data::Bucket>& buckets, int64_t count, uint64_t seed);

struct ValidationNeeds {
  const TrainingModel& model;
  const Phase& phase;
  const data::TrainingSet& set;
  const std::vector<data::Bucket>& samples;
  const LossTables& tables;
  uint64_t seed;
};

/// Mean loss, also by quarters of the timesteps, which samples are spread over evenly; of the averages where there are any.
TrainEvent validation_loss(const ValidationNeeds& needs);

}  // namespace fresco::training
