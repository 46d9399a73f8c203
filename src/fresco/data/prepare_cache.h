#pragma once
// From pictures with captions to a folder of latents and token ids that training reads.
#include <filesystem>

#include "fresco/core/observer.h"
#include "fresco/data/cache_index.h"
#include "fresco/data/encoders.h"
#include "fresco/data/training_set.h"

namespace fresco::data {

struct CacheSettings {
  std::filesystem::path out;  // a folder; made when it is not there
  bool mirrored = false;      // keep the latents of mirrored pictures too
  bool overwrite = false;     // replace a cache that was made from something else
  bool verify = false;        // read a finished cache byte for byte too, and mend what is damaged
  int threads = 0;            // that read pictures; 0: by the processor
  int64_t batch = 0;          // pictures that the VAE encodes at once; 0: by their size
  int64_t shard_bytes = int64_t{32} << 20;
};

struct CacheReport {
  int64_t samples = 0, skipped = 0;  // in the whole cache
  int64_t encoded = 0;               // now; others were there already
  double seconds = 0;
  double seconds_waited = 0;  // by the VAE, for pictures
};

/// Goes on where an earlier call was stopped, however it ended: shards that are whole are kept, and the result is the same, byte for byte.
/// Errors: InputError (the folder holds a cache made from something else; a size that the VAE cannot take; no usable picture),
/// ResourceError (disk full, memory; another process at work there), Interrupted. What is whole stays in each case.
CacheReport prepare_cache(const PictureSet& pictures, const Encoders& encoders, const CacheSettings& settings,
                          Observer& observer);

/// What a cache of these pictures would be made from. Errors: InputError for a size that the VAE cannot take.
CacheOrigin origin_of(const PictureSet& pictures, const Encoders& encoders, const CacheSettings& settings);

}  // namespace fresco::data
