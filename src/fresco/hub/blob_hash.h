#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "fresco/core/observer.h"

namespace fresco::hub {

/// The name a file's bytes deserve: SHA-256 when `etag` has 64 digits (large file storage), git's blob id, SHA-1 of
/// "blob <size>\0" and the bytes, when it has 40; for any other etag the etag itself, since nothing can be said.
/// Errors: ResourceError when the file cannot be read, Interrupted.
std::string blob_hash(const std::filesystem::path& file, std::string_view etag, const Observer& observer);

}  // namespace fresco::hub
