#pragma once
// One file of a cache: a run of samples of one bucket, complete in itself. Free of libtorch.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fresco/core/mapped_file.h"
#include "fresco/data/cache_index.h"

namespace fresco::data {

/// What a shard is about to hold. Halves are the bits of float16.
struct ShardContent {
  int64_t bucket = 0;
  std::vector<uint16_t> moments, mirrored;  // [samples, 2 * latent, h, w]; mirrored: empty when the cache has none
  std::vector<int32_t> ids;                 // [samples, tokens]
  /// A JSON object a line: {"key", "caption", "position"} of each sample, then {"key", "skipped"} of those that cannot be used.
  std::string lines;
  int64_t samples = 0;
};

/// Halves of one sample's moments.
int64_t moments_of(const CacheOrigin& origin, const CacheBucket& bucket);
/// Samples that a shard of this bucket is made of at most.
int64_t samples_a_shard(const CacheOrigin& origin, const CacheBucket& bucket);
/// "shard-00017.safetensors"
std::string shard_name(size_t number);

/// Appears whole or not at all. Errors: ResourceError (disk full), InputError (cannot be written).
CacheShard write_shard(const std::filesystem::path& folder, const std::string& name, const CacheOrigin& origin,
                       const ShardContent& content);

/// A shard that lies in its file.
struct OpenShard {
  std::shared_ptr<const MappedFile> file;
  CacheShard facts;
  std::span<const std::byte> moments, mirrored, ids, lines;
};

/// Looks at size and header alone. Errors: InputError when it is missing, FormatError: broken, cut, or of another cache.
OpenShard open_shard(const std::filesystem::path& file, const CacheOrigin& origin);
/// Reads all of it. Errors: FormatError when its checksum is another.
void verify_shard(const OpenShard& shard);

struct SampleLine {
  std::string key, caption, skipped;  // skipped: why; empty for a sample that is there
  int64_t position = 0;
};
std::vector<SampleLine> read_lines(const OpenShard& shard);
std::string to_line(const SampleLine& line);

}  // namespace fresco::data
