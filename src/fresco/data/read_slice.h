#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace fresco::data {

/// A file open for reading at places, from several threads. Errors: InputError when it cannot be opened, ResourceError when reading fails.
class SliceReader {
 public:
  explicit SliceReader(const std::filesystem::path& file);
  ~SliceReader();
  SliceReader(const SliceReader&) = delete;
  SliceReader& operator=(const SliceReader&) = delete;

  uint64_t size() const { return size_; }
  /// Fewer bytes where the file ends.
  std::string read(uint64_t offset, uint64_t count) const;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace fresco::data
