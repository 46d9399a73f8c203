#pragma once
// Reading small files whole, and writing files that are either there in full or not at all.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace fresco {

/// Errors: InputError when it cannot be opened, FormatError beyond `largest` bytes, ResourceError when reading fails.
std::string read_file(const std::filesystem::path& file, uint64_t largest);

/// Collects what goes into a file beside `target` and renames it there at commit(); an uncommitted one leaves nothing.
/// Errors: InputError when the folder cannot be written, ResourceError when the disk is full.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);
  /// Over what was written there.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// Flushes to the disk and renames. With overwrite false an existing target is an InputError and stays as it is.
  void commit(bool overwrite);

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// write + commit in one.
void write_file(const std::filesystem::path& target, std::string_view bytes, bool overwrite);

/// Errors: InputError when `target` exists (and overwrite is false), is a folder, or its folder is missing or unwritable.
void check_writable(const std::filesystem::path& target, bool overwrite, std::string_view where = "--out");

/// Errors: ResourceError naming `where` when the disk of `folder` has less than so many bytes left.
void require_room(const std::string& where, const std::filesystem::path& folder, uint64_t bytes);

/// Removes the temporary files of this process that are still open: for a signal handler's second call. Async-signal-safe.
void remove_unfinished_files() noexcept;

}  // namespace fresco
