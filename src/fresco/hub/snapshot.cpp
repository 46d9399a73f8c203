#include "fresco/hub/snapshot.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/core/json.h"
#include "fresco/core/names.h"
#include "fresco/hub/blob_download.h"
#include "fresco/hub/cache.h"
#include "fresco/hub/names.h"
#include "fresco/hub/needed_files.h"

namespace fresco::hub {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSpareDisk = 64 << 20;  // left free for everybody else

struct Cached {
  fs::path folder;  // empty: no snapshot of that revision
  Paths missing;
  bool complete() const { return !folder.empty() && missing.empty(); }
};

std::string revision_of(const HubRequest& request) { return request.revision.empty() ? "main" : request.revision; }

/// DeciDiffusion's unet/ is a stand-in that was never trained; its pipeline class says so, its list of
/// parts does not.
bool names_flexible_unet(const fs::path& index) {
  std::error_code ignored;
  if (!fs::exists(index, ignored)) return false;
  const Json json = read_json(index);
  return json.is_object() &&
         json_value<std::string>(json, "_class_name", "", index.string()).starts_with("DeciDiffusion");
}

Cached look_up(const Cache& cache, const HubRequest& request) {
  const auto commit = cache.commit_of(revision_of(request));
  std::error_code ignored;
  if (!commit || !fs::is_directory(cache.snapshot(*commit), ignored)) return {};
  Cached cached{.folder = cache.snapshot(*commit), .missing = {}};
  try {
    const bool flexible = names_flexible_unet(cached.folder / "model_index.json");
    cached.missing = missing_files(files_below(cached.folder), request.parts, flexible);
  } catch (const FormatError&) {
    cached.missing = {"a readable model_index.json"};
  }
  return cached;
}

std::string what_is_missing(const Cache& cache, const HubRequest& request, const Cached& cached) {
  if (cached.folder.empty())
    return fmt::format("revision \"{}\" is not in the cache {}", revision_of(request), cache.root().string());
  return fmt::format("the cached {} lacks {}", cached.folder.string(), joined(cached.missing));
}

std::vector<RemoteFile> choose_files(const HubRequest& request, const Listing& listing) {
  Paths paths;
  for (const auto& file : listing.files) paths.push_back(file.path);
  const Paths needed = needed_files(paths, request.parts);
  if (needed.empty()) {
    const Paths singles = single_files(paths);
    throw InputError(request.id,
                     singles.empty()
                         ? "holds no diffusion model: neither model_index.json nor a .safetensors or .ckpt file"
                         : fmt::format("holds several models ({}); download one and give its path", joined(singles)));
  }
  std::vector<RemoteFile> files;
  for (const auto& file : listing.files)
    if (std::ranges::find(needed, file.path) != needed.end()) files.push_back(file);
  // Small ones first: what is wrong with a model shows before its gigabytes come.
  std::ranges::stable_sort(files, {}, &RemoteFile::size);
  return files;
}

void check_disk(const Cache& cache, const HubRequest& request, const std::vector<RemoteFile>& files) {
  uint64_t needed = 0;
  for (const auto& file : files) {
    const auto sum = checked_add(needed, bytes_to_come(cache, file));
    if (!sum) throw FormatError(request.id, "the hub's listing: sizes whose sum overflows");
    needed = *sum;
  }
  if (needed == 0) return;
  make_folders(cache.root());
  struct statvfs disk {};
  if (::statvfs(cache.root().c_str(), &disk) != 0) return;
  const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (needed <= free && free - needed >= std::min(kSpareDisk, needed)) return;
  constexpr double kGigabyte = 1e9;
  throw ResourceError(request.id, fmt::format("the download needs {:.3f} GB in {}, where {:.3f} GB are free",
                                              static_cast<double>(needed) / kGigabyte, cache.root().string(),
                                              static_cast<double>(free) / kGigabyte));
}

fs::path download(const HubRequest& request, const Settings& settings, const Cache& cache, Observer& observer) {
  HttpClient client(settings, observer);
  const std::string revision = revision_of(request);
  const Listing listing = fetch_listing(client, settings, request.id, revision);
  auto files = choose_files(request, listing);
  for (auto& file : files) complete_file(client, settings, request.id, listing.commit, file);
  check_disk(cache, request, files);
  const DownloadContext context{client, settings, cache, request.id, listing.commit, observer};
  for (const auto& file : files) {
    download_blob(context, file);
    cache.link(listing.commit, file.path, file.etag);
  }
  // Last, so that a name never leads from a whole snapshot to one that was begun.
  cache.write_ref(revision, listing.commit);
  return cache.snapshot(listing.commit);
}

}  // namespace

fs::path snapshot(const HubRequest& request, const Settings& settings, Observer& observer) {
  check_id(request.id);
  check_revision(request.id, revision_of(request));
  const Cache cache(settings.cache, request.id);
  const Cached cached = look_up(cache, request);
  const bool fixed = is_commit(revision_of(request));
  if (cached.complete() && (!request.refresh || settings.offline || fixed)) return cached.folder;
  if (settings.offline)
    throw ResourceError(request.id,
                        what_is_missing(cache, request, cached) + ", and HF_HUB_OFFLINE forbids the network");
  try {
    return download(request, settings, cache, observer);
  } catch (const Unreachable& error) {
    if (!cached.complete())
      throw Unreachable("", fmt::format("{}; {}", error.what(), what_is_missing(cache, request, cached)));
    observer.on_warning(fmt::format("{}; using the cached {}", error.what(), cached.folder.string()));
    return cached.folder;
  }
}

fs::path snapshot(const HubRequest& request, Observer& observer) {
  return snapshot(request, settings_from_environment(), observer);
}

std::optional<fs::path> single_file(const fs::path& snapshot) {
  const Paths paths = files_below(snapshot);
  const Paths needed = needed_files(paths, {});
  const auto file = obvious_single_file(paths);
  if (!file || needed != Paths{*file}) return std::nullopt;
  return snapshot / *file;
}

}  // namespace fresco::hub
