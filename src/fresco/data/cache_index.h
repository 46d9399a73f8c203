#pragma once
// index.json of a cache of latents: what it was made from and what is in it. docs/formats.md has the format. Free of libtorch.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fresco/core/json.h"

namespace fresco::data {

constexpr int64_t kCacheVersion = 1;
constexpr const char* kCacheIndex = "index.json";

struct CacheBucket {
  int64_t height = 0, width = 0;  // of the pictures, in pixels
  int64_t latent_height = 0, latent_width = 0;
  int64_t samples = 0;  // that the pictures' set has, those that cannot be used counted too
};

/// What decides a cache's contents, byte for byte on one machine.
struct CacheOrigin {
  std::string vae_hash;        // vae_hash() in encoders.h
  std::string tokenizer_hash;  // tokenizer_hash() in encoders.h
  std::string pictures_hash;   // keys and captions of all samples, sizes they are brought to
  std::string precision;       // in which the VAE ran
  int64_t latent_channels = 0;
  int64_t tokens = 77;
  bool mirrored = false;    // moments of the mirrored pictures are there too
  int64_t shard_bytes = 0;  // a shard holds as many samples as fit, 1 at least
  std::vector<CacheBucket> buckets;
};
/// SHA-256 over all of it; each shard records it.
std::string hash_of(const CacheOrigin& origin);

struct CacheShard {
  std::string file;
  int64_t bucket = 0;
  int64_t samples = 0;  // in the shard; those skipped are not
  uint64_t bytes = 0;   // of the file
  std::string sha256;   // of its tensors' bytes, in the order of their names
};

struct SkippedSample {
  std::string key, reason;
};

struct CacheIndex {
  CacheOrigin origin;
  bool complete = false;
  std::vector<CacheShard> shards;
  int64_t skipped_count = 0;
  std::vector<SkippedSample> skipped;  // the first kMostNamed of them
};
constexpr size_t kMostNamed = 10'000;

Json to_json(const CacheIndex& index);
/// Errors: InputError when there is none, FormatError for another version or a broken one.
CacheIndex read_cache_index(const std::filesystem::path& folder);
/// In one step; an older one is replaced. Errors: InputError, ResourceError.
void write_cache_index(const std::filesystem::path& folder, const CacheIndex& index);

/// "the VAE, the pictures": what differs, in words; empty when nothing does.
std::string difference(const CacheOrigin& a, const CacheOrigin& b);

}  // namespace fresco::data
