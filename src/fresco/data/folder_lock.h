#pragma once
#include <filesystem>

namespace fresco::data {

/// One process at a time works on a folder; the lock goes with its holder, however that ends.
class FolderLock {
 public:
  /// Errors: ResourceError when another process holds it, InputError when the folder cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace fresco::data
