#include "fresco/core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "fresco/core/error.h"
#include "fresco/core/names.h"

namespace fresco {
namespace {

// Temporary files now being written, readable from a signal handler: fixed storage, a slot is in use when its first byte is set.
constexpr size_t kPathBytes = 4096;
struct Slot {
  std::atomic<bool> used{false};
  std::array<char, kPathBytes> path{};
};
std::array<Slot, 16> unfinished;

void remember(const std::string& path) {
  if (path.size() >= kPathBytes) return;
  for (Slot& slot : unfinished) {
    if (slot.used.load() || slot.path[0] != 0) continue;
    std::memcpy(slot.path.data(), path.c_str(), path.size() + 1);
    slot.used = true;
    return;
  }
}

void forget(const std::string& path) {
  for (Slot& slot : unfinished) {
    if (!slot.used.load() || path != slot.path.data()) continue;
    slot.used = false;
    slot.path[0] = 0;
  }
}

[[noreturn]] void throw_write_error(const std::filesystem::path& target, int error) {
  const std::string reason = std::strerror(error);
  if (error == ENOSPC || error == EDQUOT || error == EIO || error == EFBIG)
    throw ResourceError(target.string(), "cannot write: " + reason);
  throw InputError(target.string(), "cannot write: " + reason);
}

}  // namespace

std::string read_file(const std::filesystem::path& file, uint64_t largest) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw InputError(file.string(), fmt::format("cannot read: {}", std::strerror(errno)));
  std::string text;
  std::array<char, 65536> block;
  ssize_t got = 0;
  while ((got = ::read(descriptor, block.data(), block.size())) > 0) {
    text.append(block.data(), static_cast<size_t>(got));
    if (text.size() > largest) break;
  }
  const int error = errno;
  ::close(descriptor);
  if (got < 0 && error == EISDIR) throw InputError(file.string(), "expected a file, got a folder");
  if (got < 0) throw ResourceError(file.string(), fmt::format("cannot read: {}", std::strerror(error)));
  if (text.size() > largest)
    throw FormatError(file.string(), fmt::format("larger than the {} bytes such a file may have", largest));
  return text;
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  // A name that target_'s folder does not have yet; hidden, so that a listing of pictures never shows it.
  std::string pattern = (target_.parent_path() / ("." + target_.filename().string() + ".XXXXXX")).string();
  descriptor_ = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw_write_error(target_, errno);
  temporary_ = pattern;
  remember(pattern);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  forget(temporary_.string());
}

void AtomicFile::write(std::string_view bytes) { write(std::as_bytes(std::span(bytes))); }

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(target_, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(target_, errno);
    offset += static_cast<uint64_t>(written);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void AtomicFile::commit(bool overwrite) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor_, 0666 & ~mask);
  if (::fsync(descriptor_) != 0) throw_write_error(target_, errno);
  ::close(descriptor_);
  descriptor_ = -1;
  // link() refuses an existing target in one step, rename() replaces it in one step.
  const int failed =
      overwrite ? ::rename(temporary_.c_str(), target_.c_str()) : ::link(temporary_.c_str(), target_.c_str());
  if (failed != 0) {
    if (errno == EEXIST) throw InputError(target_.string(), "exists already; --overwrite replaces it");
    throw_write_error(target_, errno);
  }
  if (!overwrite) ::unlink(temporary_.c_str());
  forget(temporary_.string());
  temporary_.clear();
}

void write_file(const std::filesystem::path& target, std::string_view bytes, bool overwrite) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit(overwrite);
}

void check_writable(const std::filesystem::path& target, bool overwrite, std::string_view where) {
  std::error_code ignored;
  const auto folder = target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  const std::string place = fmt::format("{} {}", where, target.string());
  if (std::filesystem::is_directory(target, ignored)) throw InputError(place, "expected a file name, got a folder");
  if (!std::filesystem::is_directory(folder, ignored))
    throw InputError(place, fmt::format("no such folder: {}", folder.string()));
  if (::access(folder.c_str(), W_OK) != 0)
    throw InputError(place, fmt::format("folder cannot be written: {}", std::strerror(errno)));
  if (!overwrite && std::filesystem::exists(target, ignored))
    throw InputError(place, "exists already; --overwrite replaces it");
}

void require_room(const std::string& where, const std::filesystem::path& folder, uint64_t bytes) {
  std::error_code unknown;
  const auto space = std::filesystem::space(folder, unknown);
  if (unknown || space.available >= bytes) return;
  const auto text = [](uint64_t count) { return size_text(static_cast<double>(count)); };
  throw ResourceError(where,
                      expected_got(fmt::format("at least {} of room on the disk", text(bytes)), text(space.available)));
}

void remove_unfinished_files() noexcept {
  for (Slot& slot : unfinished) {
    if (slot.used.load()) ::unlink(slot.path.data());
  }
}

}  // namespace fresco
