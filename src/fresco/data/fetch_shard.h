#pragma once
#include <filesystem>
#include <string>

#include "fresco/core/observer.h"

namespace fresco::data {

/// The file under `cache`/shards that an http address was fetched to, now or earlier. A download that broke off goes on where it stopped;
/// of several processes one downloads and the others wait. The token of the hub is sent to the hub alone.
/// Errors: InputError (no such file, no access), ResourceError (network, disk), Interrupted.
std::filesystem::path fetch_shard(const std::string& url, const std::filesystem::path& cache, Observer& observer);

}  // namespace fresco::data
