#include "fresco/data/latent_cache.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cstring>

#include "fresco/core/error.h"

namespace fresco::data {
namespace {

constexpr const char* kAdvice = "`fresco data prepare --overwrite` makes it anew";

void check_needs(const CacheIndex& index, const CacheNeeds& needs, const std::string& where) {
  const CacheOrigin& origin = index.origin;
  if (!index.complete) throw InputError(where, "not finished; the same `fresco data prepare` goes on with it");
  const auto same = [&](const char* what, const std::string& needed, const std::string& found) {
    if (!needed.empty() && needed != found)
      throw InputError(where, fmt::format("made with another {}: expected {}, got {}; {}", what, needed.substr(0, 10),
                                          printable(found.substr(0, 10)), kAdvice));
  };
  same("VAE", needs.vae_hash, origin.vae_hash);
  same("tokenizer", needs.tokenizer_hash, origin.tokenizer_hash);
  if (needs.latent_channels != 0 && needs.latent_channels != origin.latent_channels)
    throw InputError(
        where, fmt::format("latent channels: expected {}, got {}", needs.latent_channels, origin.latent_channels));
  if (needs.mirrored && !origin.mirrored)
    throw InputError(where, fmt::format("holds no mirrored pictures, which flips need; {} with --flip", kAdvice));
}

}  // namespace

LatentCache::LatentCache(const std::filesystem::path& folder, const CacheNeeds& needs)
    : index_(read_cache_index(folder)) {
  check_needs(index_, needs, folder.string());
  for (const CacheBucket& bucket : index_.origin.buckets) buckets_.push_back({bucket.height, bucket.width, {}});
  for (const CacheShard& facts : index_.shards) open(folder, facts);
  if (places_.empty()) throw InputError(folder.string(), "the cache holds no samples");
}

void LatentCache::open(const std::filesystem::path& folder, const CacheShard& facts) {
  const auto file = folder / facts.file;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) throw FormatError(file.string(), fmt::format("missing; {} lists it", kCacheIndex));
  if (bytes != facts.bytes)
    throw FormatError(file.string(), fmt::format("expected {} bytes, got {}; the same `fresco data prepare` mends it",
                                                 facts.bytes, bytes));
  OpenShard shard = open_shard(file, index_.origin);
  const CacheShard& found = shard.facts;
  if (found.bucket != facts.bucket || found.samples != facts.samples || found.sha256 != facts.sha256)
    throw FormatError(file.string(), fmt::format("is not the shard that {} lists", kCacheIndex));
  const auto number = static_cast<uint32_t>(shards_.size());
  for (int64_t row = 0; row < found.samples; ++row) {
    buckets_[static_cast<size_t>(found.bucket)].positions.push_back(size());
    places_.push_back({number, static_cast<uint32_t>(row)});
  }
  shards_.push_back(std::move(shard));
}

Item LatentCache::get(int64_t position, bool mirrored) const {
  const Place place = places_.at(static_cast<size_t>(position));
  const OpenShard& shard = shards_[place.shard];
  const CacheBucket& bucket = index_.origin.buckets[static_cast<size_t>(shard.facts.bucket)];
  const auto each = static_cast<size_t>(moments_of(index_.origin, bucket)) * sizeof(uint16_t);
  const auto bytes =
      (mirrored && index_.origin.mirrored ? shard.mirrored : shard.moments).subspan(place.row * each, each);
  Item item;
  item.moments = at::from_blob(
      const_cast<std::byte*>(bytes.data()),
      {2 * index_.origin.latent_channels, bucket.latent_height, bucket.latent_width}, [file = shard.file](void*) {},
      at::kHalf);
  item.ids.resize(static_cast<size_t>(index_.origin.tokens));
  const size_t row_bytes = item.ids.size() * sizeof(int32_t);
  std::memcpy(item.ids.data(), shard.ids.data() + place.row * row_bytes, row_bytes);
  return item;
}

SampleLine LatentCache::line(int64_t position) const {
  const Place place = places_.at(static_cast<size_t>(position));
  uint32_t row = 0;
  for (auto& line : read_lines(shards_[place.shard]))
    if (line.skipped.empty() && row++ == place.row) return line;
  throw FormatError(shards_[place.shard].file->path().string(), fmt::format("has no line about sample {}", place.row));
}

void LatentCache::verify(Observer& observer) const {
  uint64_t done = 0, total = 0;
  for (const OpenShard& shard : shards_) total += shard.facts.bytes;
  for (const OpenShard& shard : shards_) {
    check_cancelled(observer);
    verify_shard(shard);
    observer.on_transfer({"check latents", done += shard.facts.bytes, total});
  }
}

}  // namespace fresco::data
