#include "fresco/data/cache_shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "fresco/checkpoint/safetensors.h"
#include "fresco/core/error.h"
#include "fresco/core/sha256.h"

namespace fresco::data {
namespace {

using checkpoint::ElementType;
using checkpoint::TensorData;

TensorData tensor(const char* name, ElementType type, checkpoint::Shape shape, std::span<const std::byte> bytes) {
  return {{name, type, std::move(shape)}, bytes, nullptr};
}

std::vector<TensorData> tensors_of(const CacheOrigin& origin, const ShardContent& content) {
  const CacheBucket& bucket = origin.buckets.at(static_cast<size_t>(content.bucket));
  const checkpoint::Shape shape{content.samples, 2 * origin.latent_channels, bucket.latent_height, bucket.latent_width};
  std::vector<TensorData> tensors;
  tensors.push_back(
      tensor("ids", ElementType::i32, {content.samples, origin.tokens}, std::as_bytes(std::span(content.ids))));
  tensors.push_back(tensor("moments", ElementType::f16, shape, std::as_bytes(std::span(content.moments))));
  if (origin.mirrored)
    tensors.push_back(tensor("moments_mirrored", ElementType::f16, shape, std::as_bytes(std::span(content.mirrored))));
  tensors.push_back(tensor("samples", ElementType::u8, {static_cast<int64_t>(content.lines.size())},
                           std::as_bytes(std::span(content.lines))));
  return tensors;
}

std::string text_of(const checkpoint::Metadata& metadata, const char* key, const std::string& where) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) throw FormatError(where, fmt::format("no shard of a cache: it has no \"{}\"", key));
  return found->second;
}

int64_t bucket_of(const checkpoint::Metadata& metadata, const CacheOrigin& origin, const std::string& where) {
  const std::string text = text_of(metadata, "bucket", where);
  for (size_t i = 0; i < origin.buckets.size(); ++i)
    if (text == std::to_string(i)) return static_cast<int64_t>(i);
  throw FormatError(where, expected_got(fmt::format("a bucket below {}", origin.buckets.size()), printable(text)));
}

using Placed = std::map<std::string, checkpoint::PlacedTensor>;

std::span<const std::byte> take(const Placed& placed, const char* name, ElementType type,
                                const checkpoint::Shape& shape, const std::string& where) {
  const auto found = placed.find(name);
  if (found == placed.end()) throw FormatError(where, fmt::format("tensor \"{}\" is missing", name));
  const auto& info = found->second.info;
  if (info.type != type || info.shape != shape)
    throw FormatError(where, fmt::format("tensor \"{}\": expected {} {}, got {} {}", name, checkpoint::name(type),
                                         checkpoint::to_string(shape), checkpoint::name(info.type),
                                         checkpoint::to_string(info.shape)));
  return found->second.bytes;
}

const checkpoint::Shape& shape_of(const Placed& placed, const char* name, size_t sides, const std::string& where) {
  const auto found = placed.find(name);
  if (found == placed.end() || found->second.info.shape.size() != sides)
    throw FormatError(where, fmt::format("expected a tensor \"{}\" of {} sides", name, sides));
  return found->second.info.shape;
}

}  // namespace

int64_t moments_of(const CacheOrigin& origin, const CacheBucket& bucket) {
  return 2 * origin.latent_channels * bucket.latent_height * bucket.latent_width;
}

int64_t samples_a_shard(const CacheOrigin& origin, const CacheBucket& bucket) {
  const int64_t each = moments_of(origin, bucket) * (origin.mirrored ? 4 : 2);
  return std::clamp<int64_t>(origin.shard_bytes / std::max<int64_t>(each, 1), 1, 4096);
}

std::string shard_name(size_t number) { return fmt::format("shard-{:05}.safetensors", number); }

CacheShard write_shard(const std::filesystem::path& folder, const std::string& name, const CacheOrigin& origin,
                       const ShardContent& content) {
  const auto tensors = tensors_of(origin, content);
  Sha256 hash;
  for (const TensorData& one : tensors) hash.update(one.bytes);
  CacheShard shard{.file = name, .bucket = content.bucket, .samples = content.samples, .sha256 = hash.hex()};
  write_safetensors(folder / name, tensors,
                    {{"format", "fresco.latents"},
                     {"origin", hash_of(origin)},
                     {"bucket", std::to_string(content.bucket)},
                     {"sha256", shard.sha256}},
                    /*overwrite=*/true);
  shard.bytes = std::filesystem::file_size(folder / name);
  return shard;
}

OpenShard open_shard(const std::filesystem::path& file, const CacheOrigin& origin) {
  const std::string where = file.string();
  OpenShard shard{.file = std::make_shared<const MappedFile>(file)};
  const auto bytes = shard.file->bytes();
  Placed placed;
  for (auto& one : checkpoint::parse_safetensors(bytes, where)) placed.emplace(one.info.name, one);
  const auto metadata = checkpoint::read_metadata(bytes, where);
  if (text_of(metadata, "origin", where) != hash_of(origin))
    throw FormatError(where, "belongs to another cache: it was made from other pictures, VAE or settings");
  const int64_t bucket = bucket_of(metadata, origin, where);
  const CacheBucket& size = origin.buckets[static_cast<size_t>(bucket)];
  const int64_t samples = shape_of(placed, "ids", 2, where)[0];
  const checkpoint::Shape shape{samples, 2 * origin.latent_channels, size.latent_height, size.latent_width};
  shard.facts = {file.filename().string(), bucket, samples, bytes.size(), text_of(metadata, "sha256", where)};
  shard.ids = take(placed, "ids", ElementType::i32, {samples, origin.tokens}, where);
  shard.moments = take(placed, "moments", ElementType::f16, shape, where);
  if (origin.mirrored) shard.mirrored = take(placed, "moments_mirrored", ElementType::f16, shape, where);
  shard.lines = take(placed, "samples", ElementType::u8, shape_of(placed, "samples", 1, where), where);
  return shard;
}

void verify_shard(const OpenShard& shard) {
  Sha256 hash;
  for (const auto& part : {shard.ids, shard.moments, shard.mirrored, shard.lines}) hash.update(part);
  shard.file->release(shard.file->bytes());
  const std::string found = hash.hex();
  if (found != shard.facts.sha256)
    throw FormatError(shard.file->path().string(), fmt::format("damaged: expected SHA-256 {} of its tensors, got {}",
                                                               shard.facts.sha256.substr(0, 16), found.substr(0, 16)));
}

std::string to_line(const SampleLine& line) {
  Json json = {{"key", line.key}, {"position", line.position}};
  if (line.skipped.empty())
    json["caption"] = line.caption;
  else
    json["skipped"] = line.skipped;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<SampleLine> read_lines(const OpenShard& shard) {
  const std::string where = shard.file->path().string();
  std::string_view text(reinterpret_cast<const char*>(shard.lines.data()), shard.lines.size());
  std::vector<SampleLine> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const Json json = parse_json(text.substr(0, end), where);
    lines.push_back(
        {json_value<std::string>(json, "key", "", where), json_value<std::string>(json, "caption", "", where),
         json_value<std::string>(json, "skipped", "", where), json_value<int64_t>(json, "position", 0, where)});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

}  // namespace fresco::data
