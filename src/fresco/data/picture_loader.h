#pragma once
// Pictures for the autoencoder, made ready in the background.
#include <memory>

#include "fresco/data/batch_loader.h"
#include "fresco/data/cache_index.h"

namespace fresco::data {

struct PictureLoaderSettings {
  int64_t batch = 0, micro_batch = 0;  // as in LoaderSettings
  uint64_t seed = 0;                   // of crops and flips
  int rank = 0, processes = 1;
  int64_t crop = 0;  // side of the square that is cut out of each picture, anew at each visit; 0: all of it
  bool flip = false;
  int64_t first_step = 0, end_step = 0;
  int threads = 1;
  int64_t ahead = 3;  // steps
};

struct PictureBatch {
  at::Tensor pictures;                     // [b, 3, side, side] float32, -1..1
  std::vector<int64_t> positions, visits;  // b
  std::vector<SkippedSample> skipped;      // that could not be read; others stand in their places
};

/// Shares, micro-batches and randomness as BatchLoader. A sample that cannot be used is replaced by another one, drawn by its visit.
class PictureLoader {
 public:
  /// Both must outlive the loader. Errors: InputError (uneven batch, a crop larger than the pictures).
  PictureLoader(const PictureSet& set, const SampleOrder& order, const PictureLoaderSettings& settings);
  ~PictureLoader();
  /// Errors: ResourceError, or FormatError when one sample after the other cannot be used.
  std::vector<PictureBatch> next();
  double seconds_waited() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fresco::data
