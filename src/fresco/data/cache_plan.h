#pragma once
// Which samples go into which shard of a cache, and which shards are there already. Free of libtorch.
#include "fresco/core/observer.h"
#include "fresco/data/cache_shard.h"

namespace fresco::data {

struct PlannedShard {
  int64_t bucket = 0;
  int64_t first = 0, count = 0;  // samples of the bucket
};

std::vector<PlannedShard> plan_shards(const CacheOrigin& origin);

/// Makes `folder` ready for a cache of this origin: leftovers of a killed process go, its index says what is being made.
/// Errors: InputError when a cache of something else is there and `overwrite` is false.
void claim_folder(const std::filesystem::path& folder, const CacheOrigin& origin, bool overwrite);

/// Facts of the shards in `folder` that are whole; others are as if they were not there. Parallel to `plan`; `file` is empty for those that
/// must be made. thoroughly: every byte is read. Errors: Interrupted.
std::vector<CacheShard> whole_shards(const std::filesystem::path& folder, const CacheOrigin& origin,
                                     const std::vector<PlannedShard>& plan, bool thoroughly, Observer& observer);

/// Errors: ResourceError when the shards that are not made yet will not fit on the disk.
void require_disk(const std::filesystem::path& folder, const CacheOrigin& origin, const std::vector<PlannedShard>& plan,
                  const std::vector<CacheShard>& made);

}  // namespace fresco::data
