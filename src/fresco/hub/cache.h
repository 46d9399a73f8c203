#pragma once
// The folder that huggingface_hub keeps for one model:
//   models--owner--name/blobs/<etag>                 the bytes, named by what they are
//   models--owner--name/snapshots/<commit>/<path>    links into blobs/
//   models--owner--name/refs/<branch, tag, refs/pr/N> the commit that the name stood for
//   .locks/models--owner--name/<etag>.lock           held with flock(2) while a blob is written
// Source: the page "Understand caching" of the huggingface_hub documentation.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "fresco/core/observer.h"
#include "fresco/hub/needed_files.h"

namespace fresco::hub {

class Cache {
 public:
  Cache(std::filesystem::path root, std::string_view id);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path blob(std::string_view etag) const { return folder_ / "blobs" / etag; }
  std::filesystem::path incomplete(std::string_view etag) const;
  std::filesystem::path lock_file(std::string_view etag) const;
  std::filesystem::path snapshot(std::string_view commit) const { return folder_ / "snapshots" / commit; }

  /// The commit a revision stands for as far as the cache knows: itself, or what refs/ says.
  std::optional<std::string> commit_of(std::string_view revision) const;
  void write_ref(std::string_view revision, std::string_view commit) const;
  /// Makes snapshots/<commit>/<path> a relative link to the blob. Errors: ResourceError.
  void link(std::string_view commit, const std::string& path, std::string_view etag) const;

 private:
  std::filesystem::path root_;
  std::filesystem::path folder_;
  std::filesystem::path locks_;
};

/// Paths of the files below `folder`, "/" between steps; links that lead nowhere are not there. Empty
/// for no such folder.
Paths files_below(const std::filesystem::path& folder);

/// Creates a folder and those above it. Errors: ResourceError.
void make_folders(const std::filesystem::path& folder);

/// An exclusive flock(2) on a file, waited for until it is free or the observer cancels; the same lock
/// as Python's filelock. On a file system without locks it holds nothing: blobs are checked before they
/// are renamed, so this costs only time.
class FileLock {
 public:
  FileLock(const std::filesystem::path& file, const Observer& observer);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace fresco::hub
