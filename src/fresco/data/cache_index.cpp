#include "fresco/data/cache_index.h"

#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/core/sha256.h"

namespace fresco::data {
namespace {

constexpr const char* kFormat = "fresco.latents";

Json to_json(const CacheBucket& bucket) {
  return {{"height", bucket.height},
          {"width", bucket.width},
          {"latent_height", bucket.latent_height},
          {"latent_width", bucket.latent_width},
          {"samples", bucket.samples}};
}

Json to_json(const CacheOrigin& origin) {
  Json buckets = Json::array();
  for (const CacheBucket& bucket : origin.buckets) buckets.push_back(to_json(bucket));
  return {{"vae_sha256", origin.vae_hash},
          {"tokenizer_sha256", origin.tokenizer_hash},
          {"pictures_sha256", origin.pictures_hash},
          {"precision", origin.precision},
          {"latent_channels", origin.latent_channels},
          {"tokens", origin.tokens},
          {"mirrored", origin.mirrored},
          {"shard_bytes", origin.shard_bytes},
          {"buckets", buckets}};
}

// Reads members of one object; a missing one is an error too.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object())
      throw FormatError(where_, fmt::format("expected objects in the index, got {}", object.type_name()));
  }
  template <typename T>
  T get(const char* key) const {
    require(key);
    return json_value<T>(object_, key, T{}, where_);
  }
  int64_t count(const char* key) const {
    const auto value = get<int64_t>(key);
    if (value < 0) throw FormatError(where_, fmt::format("\"{}\": expected 0 or more, got {}", key, value));
    return value;
  }
  const Json& list(const char* key) const {
    if (!require(key).is_array()) throw FormatError(where_, fmt::format("\"{}\": expected a list", key));
    return object_.at(key);
  }
  const Json& require(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end() || found->is_null()) throw FormatError(where_, fmt::format("\"{}\" is missing", key));
    return *found;
  }

 private:
  const Json& object_;
  std::string where_;
};

CacheBucket read_bucket(const Json& json, const std::string& where) {
  const Reader in(json, where);
  return {in.count("height"), in.count("width"), in.count("latent_height"), in.count("latent_width"),
          in.count("samples")};
}

CacheOrigin read_origin(const Json& json, const std::string& where) {
  const Reader in(json, where);
  CacheOrigin origin{.vae_hash = in.get<std::string>("vae_sha256"),
                     .tokenizer_hash = in.get<std::string>("tokenizer_sha256"),
                     .pictures_hash = in.get<std::string>("pictures_sha256"),
                     .precision = in.get<std::string>("precision"),
                     .latent_channels = in.count("latent_channels"),
                     .tokens = in.count("tokens"),
                     .mirrored = in.get<bool>("mirrored"),
                     .shard_bytes = in.count("shard_bytes")};
  for (const Json& bucket : in.list("buckets")) origin.buckets.push_back(read_bucket(bucket, where));
  return origin;
}

CacheShard read_shard(const Json& json, const std::string& where) {
  const Reader in(json, where);
  CacheShard shard{in.get<std::string>("file"), in.count("bucket"), in.count("samples"),
                   static_cast<uint64_t>(in.count("bytes")), in.get<std::string>("sha256")};
  if (shard.file.empty() || shard.file.find('/') != std::string::npos || shard.file.front() == '.')
    throw FormatError(where,
                      fmt::format("expected names of files in the same folder, got \"{}\"", printable(shard.file)));
  return shard;
}

void check_version(const Reader& in, const std::string& where) {
  const auto format = in.get<std::string>("format");
  if (format != kFormat)
    throw FormatError(where, expected_got(fmt::format("format \"{}\"", kFormat), printable(format)));
  const auto version = in.get<int64_t>("version");
  if (version != kCacheVersion)
    throw FormatError(
        where, fmt::format("expected a cache of version {}, got {}; `fresco data prepare --overwrite` makes it anew",
                           kCacheVersion, version));
}

}  // namespace

std::string hash_of(const CacheOrigin& origin) {
  return sha256_hex(fmt::format("{} {} {}", kFormat, kCacheVersion, to_json(origin).dump()));
}

Json to_json(const CacheIndex& index) {
  Json shards = Json::array(), skipped = Json::array();
  for (const CacheShard& shard : index.shards)
    shards.push_back({{"file", shard.file},
                      {"bucket", shard.bucket},
                      {"samples", shard.samples},
                      {"bytes", shard.bytes},
                      {"sha256", shard.sha256}});
  for (const SkippedSample& sample : index.skipped) skipped.push_back({{"key", sample.key}, {"reason", sample.reason}});
  return {{"format", kFormat},          {"version", kCacheVersion}, {"origin", to_json(index.origin)},
          {"complete", index.complete}, {"shards", shards},         {"skipped_count", index.skipped_count},
          {"skipped", skipped}};
}

CacheIndex read_cache_index(const std::filesystem::path& folder) {
  const auto file = folder / kCacheIndex;
  if (!std::filesystem::exists(file))
    throw InputError(folder.string(), fmt::format("no cache of latents: there is no {} in it", kCacheIndex));
  const std::string where = file.string();
  const Json json = read_json(file);
  const Reader in(json, where);
  check_version(in, where);
  CacheIndex index{.origin = read_origin(in.require("origin"), where),
                   .complete = in.get<bool>("complete"),
                   .skipped_count = in.count("skipped_count")};
  for (const Json& shard : in.list("shards")) index.shards.push_back(read_shard(shard, where));
  for (const CacheShard& shard : index.shards)
    if (shard.bucket >= static_cast<int64_t>(index.origin.buckets.size()))
      throw FormatError(where,
                        fmt::format("{}: bucket {} of {}", shard.file, shard.bucket, index.origin.buckets.size()));
  for (const Json& sample : in.list("skipped")) {
    const Reader one(sample, where);
    index.skipped.push_back({one.get<std::string>("key"), one.get<std::string>("reason")});
  }
  return index;
}

void write_cache_index(const std::filesystem::path& folder, const CacheIndex& index) {
  // A stranger's key or file name may be no UTF-8.
  const auto text = to_json(index).dump(1, ' ', false, Json::error_handler_t::replace);
  write_file(folder / kCacheIndex, text + "\n", /*overwrite=*/true);
}

std::string difference(const CacheOrigin& a, const CacheOrigin& b) {
  std::string words;
  const auto add = [&](bool same, const char* word) {
    if (!same) words += fmt::format("{}{}", words.empty() ? "" : ", ", word);
  };
  add(a.vae_hash == b.vae_hash, "the VAE");
  add(a.tokenizer_hash == b.tokenizer_hash, "the tokenizer");
  add(a.pictures_hash == b.pictures_hash, "the pictures, their captions or sizes");
  add(a.precision == b.precision, "the VAE's precision");
  add(a.mirrored == b.mirrored, "flips");
  if (words.empty()) add(hash_of(a) == hash_of(b), "its layout");
  return words;
}

}  // namespace fresco::data
