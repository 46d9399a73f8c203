#pragma once
// Samples that a network can be trained on, ready for it, by position.
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "fresco/core/json.h"

namespace fresco::data {

/// One sample as it is stored. Latents are unscaled: mean and log variance of the VAE's posterior.
struct Item {
  at::Tensor moments;        // [2 * latent, h, w] float16 or float32; with flips, may be of the mirrored picture
  std::vector<int32_t> ids;  // [77] of the caption
};

/// Positions of one size. All samples of a batch come from one bucket.
struct Bucket {
  int64_t height = 0, width = 0;   // of the picture, in pixels
  std::vector<int64_t> positions;  // into the set
};

/// Errors of get(): FormatError, ResourceError. Safe from several threads.
class TrainingSet {
 public:
  virtual ~TrainingSet() = default;
  virtual int64_t size() const = 0;
  virtual const std::vector<Bucket>& buckets() const = 0;
  /// mirrored: of the flipped picture, where the set has one.
  virtual Item get(int64_t position, bool mirrored) const = 0;
};

/// Pictures themselves, for the autoencoder and for preparing a cache: [3, H, W] float32 in -1..1. Errors of a sample that cannot be used:
/// FormatError; it is skipped, counted and named. Safe from several threads.
class PictureSet {
 public:
  virtual ~PictureSet() = default;
  virtual int64_t size() const = 0;
  virtual const std::vector<Bucket>& buckets() const = 0;
  /// What a sample is called in lists and messages, the same whenever the set is opened.
  virtual std::string key(int64_t position) const { return std::to_string(position); }
  virtual at::Tensor picture(int64_t position, bool mirrored) const = 0;
  virtual std::string caption(int64_t position) const = 0;
  virtual Json attributes(int64_t position) const = 0;  // the sample's own JSON; null without
};

/// Which samples step `step` of a phase takes: a pure function of seed, step and the sizes of the buckets, so that it depends neither on the
/// number of processes nor on where a run was stopped. Every sample comes once an epoch, the last few of a bucket that fill no batch excepted;
/// the order and those left out are other ones in each epoch.
struct Pick {
  int64_t position = 0;
  int64_t visit = 0;  // counts all samples of the phase: step * batch + place; random numbers are keyed by it
};
class SampleOrder {
 public:
  /// `buckets` must outlive the order. Errors: InputError when no bucket fills a batch.
  SampleOrder(const std::vector<Bucket>& buckets, int64_t batch, uint64_t seed);
  SampleOrder(std::vector<Bucket>&&, int64_t, uint64_t) = delete;
  int64_t steps_per_epoch() const { return batches_before_.back(); }
  /// step: from 0.
  std::vector<Pick> picks(int64_t step) const;

 private:
  const std::vector<Bucket>& buckets_;
  int64_t batch_;
  uint64_t seed_;
  std::vector<int64_t> batches_before_;  // of an epoch: in the buckets before each, then in all
};

}  // namespace fresco::data
