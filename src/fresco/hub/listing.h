#pragma once
// What the hub says about one revision of a model: GET /api/models/<id>/revision/<revision>?blobs=true.
// Source: the hub's published API description (https://huggingface.co/docs/hub/api).
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/hub/http.h"
#include "fresco/hub/settings.h"

namespace fresco::hub {

struct RemoteFile {
  std::string path;
  std::string etag;  // SHA-256 of a large file, git's blob id of another; empty when the listing does not say
  uint64_t size = 0;
};

struct Listing {
  std::string commit;
  std::vector<RemoteFile> files;
};

/// Errors: InputError (no such model or revision, no access), FormatError (a listing that makes no
/// sense, or one whose names lead out of a folder), Unreachable.
Listing fetch_listing(HttpClient& client, const Settings& settings, const std::string& id, const std::string& revision);

/// Asks for what the listing left open, since some mirrors do not list blobs. Errors: as above.
void complete_file(HttpClient& client, const Settings& settings, const std::string& id, const std::string& commit,
                   RemoteFile& file);

/// Where the bytes of a file are.
std::string file_url(const Settings& settings, const std::string& id, const std::string& commit,
                     const std::string& path);

/// The error for an answer that is final and not 2xx. what: "revision \"v2\"", a file's path.
[[noreturn]] void throw_refused(const HttpReply& reply, const Settings& settings, const std::string& id,
                                const std::string& what);

}  // namespace fresco::hub
