#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace fresco {

/// A file mapped read-only. Pages come in as they are touched; release() gives them back.
class MappedFile {
 public:
  /// Errors: InputError when there is no such file or it cannot be read, ResourceError when it cannot be mapped.
  explicit MappedFile(std::filesystem::path path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  /// Drops the pages that lie wholly inside `part` from this process; they can be read again.
  void release(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace fresco
