#pragma once
// A prepared folder of latents as samples to train on.
#include <filesystem>

#include "fresco/core/observer.h"
#include "fresco/data/cache_shard.h"
#include "fresco/data/training_set.h"

namespace fresco::data {

/// What a trainer needs a cache to be. Empty texts and zeros: anything will do.
struct CacheNeeds {
  std::string vae_hash, tokenizer_hash;
  int64_t latent_channels = 0;
  bool mirrored = false;
};

/// Shards are mapped into memory and read as their samples come by. Opening looks at sizes and headers; verify() reads all.
class LatentCache final : public TrainingSet {
 public:
  /// Errors: InputError (no cache there; not finished; made with another VAE or tokenizer; without mirrored pictures), FormatError (another
  /// version; a shard that is missing, cut or of another cache).
  LatentCache(const std::filesystem::path& folder, const CacheNeeds& needs);

  int64_t size() const override { return static_cast<int64_t>(places_.size()); }
  const std::vector<Bucket>& buckets() const override { return buckets_; }
  /// Moments lie in the mapped file, which they keep open; not to be written to.
  Item get(int64_t position, bool mirrored) const override;

  /// What the sample was called, and its text.
  SampleLine line(int64_t position) const;
  const CacheIndex& index() const { return index_; }
  /// Reads every byte. Errors: FormatError when a shard is damaged, Interrupted.
  void verify(Observer& observer) const;

 private:
  struct Place {
    uint32_t shard, row;
  };
  void open(const std::filesystem::path& folder, const CacheShard& facts);

  CacheIndex index_;
  std::vector<OpenShard> shards_;
  std::vector<Place> places_;  // of each position
  std::vector<Bucket> buckets_;
};

}  // namespace fresco::data
