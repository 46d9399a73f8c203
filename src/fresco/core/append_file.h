#pragma once
// A file that grows by whole records: a log that a stopped or killed program leaves readable.
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace fresco {

/// A record that cannot be written in full is taken back, so that the next one follows the last whole one.
class AppendFile {
 public:
  /// Created where it is missing. Errors: InputError when it cannot be opened.
  explicit AppendFile(std::filesystem::path file);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  const std::filesystem::path& path() const { return file_; }
  /// Handed to the system at once, for others to read. Errors: ResourceError, such as a full disk.
  void append(std::string_view record);
  /// Onto the disk. Errors: ResourceError.
  void sync();

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace fresco
