#include "fresco/data/cache_plan.h"

#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBytesOfText = 512;  // ids, key and caption of a sample, about

bool is_shard(const std::string& name) { return name.starts_with("shard-") && name.ends_with(".safetensors"); }
// An AtomicFile that its process did not live to rename.
bool is_leftover(const std::string& name) {
  return name.starts_with(".shard-") || name.starts_with(std::string(".") + kCacheIndex);
}

std::vector<fs::path> files_that(const fs::path& folder, bool (*wanted)(const std::string&)) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (wanted(entry.path().filename().string())) files.push_back(entry.path());
  return files;
}

void remove_all(const std::vector<fs::path>& files) {
  std::error_code ignored;
  for (const auto& file : files) fs::remove(file, ignored);
}

// Why what lies there cannot be gone on with; empty when it can.
std::string obstacle(const fs::path& folder, const CacheOrigin& origin) {
  if (!fs::exists(folder / kCacheIndex))
    return files_that(folder, is_shard).empty() ? "" : "holds shards without an index";
  try {
    const std::string differs = difference(read_cache_index(folder).origin, origin);
    return differs.empty() ? "" : fmt::format("holds a cache made from something else ({})", differs);
  } catch (const FormatError& error) {
    return fmt::format("holds an index that cannot be read ({})", error.what());
  }
}

}  // namespace

std::vector<PlannedShard> plan_shards(const CacheOrigin& origin) {
  std::vector<PlannedShard> plan;
  for (size_t b = 0; b < origin.buckets.size(); ++b) {
    const int64_t most = samples_a_shard(origin, origin.buckets[b]), samples = origin.buckets[b].samples;
    for (int64_t first = 0; first < samples; first += most)
      plan.push_back({static_cast<int64_t>(b), first, std::min(most, samples - first)});
  }
  return plan;
}

void claim_folder(const fs::path& folder, const CacheOrigin& origin, bool overwrite) {
  remove_all(files_that(folder, is_leftover));
  const std::string problem = obstacle(folder, origin);
  if (!problem.empty() && !overwrite) throw InputError(folder.string(), problem + "; --overwrite replaces it");
  if (!problem.empty()) {
    std::error_code ignored;
    fs::remove(folder / kCacheIndex, ignored);  // first: shards without an index are no cache
    remove_all(files_that(folder, is_shard));
  }
  if (!fs::exists(folder / kCacheIndex)) write_cache_index(folder, {.origin = origin});
}

std::vector<CacheShard> whole_shards(const fs::path& folder, const CacheOrigin& origin,
                                     const std::vector<PlannedShard>& plan, bool thoroughly, Observer& observer) {
  std::vector<CacheShard> whole(plan.size());
  uint64_t done = 0;
  for (size_t i = 0; i < plan.size(); ++i) {
    const fs::path file = folder / shard_name(i);
    if (!fs::exists(file)) continue;
    check_cancelled(observer);
    observer.on_transfer({"check latents", done, 0});
    try {
      const OpenShard shard = open_shard(file, origin);
      if (thoroughly) verify_shard(shard);
      done += shard.facts.bytes;
      whole[i] = shard.facts;
    } catch (const FormatError& error) {
      observer.on_warning(fmt::format("made anew: {}", error.what()));
    }
  }
  return whole;
}

void require_disk(const fs::path& folder, const CacheOrigin& origin, const std::vector<PlannedShard>& plan,
                  const std::vector<CacheShard>& made) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < plan.size(); ++i) {
    const int64_t each =
        moments_of(origin, origin.buckets[static_cast<size_t>(plan[i].bucket)]) * (origin.mirrored ? 4 : 2);
    if (made[i].file.empty()) bytes += static_cast<uint64_t>(plan[i].count * (each + kBytesOfText));
  }
  require_room(folder.string(), folder, bytes);
}

}  // namespace fresco::data
