#pragma once
#include <string>

#include "fresco/core/observer.h"
#include "fresco/hub/cache.h"
#include "fresco/hub/http.h"
#include "fresco/hub/listing.h"
#include "fresco/hub/settings.h"

namespace fresco::hub {

/// Everything a download needs to know of its surroundings.
struct DownloadContext {
  HttpClient& client;
  const Settings& settings;
  const Cache& cache;
  std::string id;
  std::string commit;
  Observer& observer;
};

/// Brings blobs/<etag> about: a whole one is kept, an .incomplete one continued with Range where the
/// server can, retried while it grows, and renamed once its size and hash are the announced ones.
/// Errors: ResourceError (wrong bytes, which are removed; a full disk), Unreachable, InputError
/// (access), Interrupted.
void download_blob(const DownloadContext& context, const RemoteFile& file);

/// Bytes of the file that are still to come.
uint64_t bytes_to_come(const Cache& cache, const RemoteFile& file);

}  // namespace fresco::hub
