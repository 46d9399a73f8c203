#include "fresco/hub/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "fresco/core/error.h"
#include "fresco/core/files.h"
#include "fresco/hub/names.h"

namespace fresco::hub {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLargestRef = 4096;
constexpr auto kLockPause = std::chrono::milliseconds(50);

fs::path with_suffix(const fs::path& path, std::string_view suffix) {
  return fs::path(path.string() + std::string(suffix));
}

std::string folder_name(std::string_view id) {
  std::string name = "models--" + std::string(id);
  name.replace(name.find('/'), 1, "--");
  return name;
}

// A name beside `path` that no other thread or process of this machine uses.
fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return path.parent_path() / fmt::format(".{}.{}.{}", path.filename().string(), ::getpid(), count++);
}

bool same_file(int descriptor, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

}  // namespace

Cache::Cache(fs::path root, std::string_view id)
    : root_(std::move(root)), folder_(root_ / folder_name(id)), locks_(root_ / ".locks" / folder_name(id)) {}

fs::path Cache::incomplete(std::string_view etag) const { return with_suffix(blob(etag), ".incomplete"); }
fs::path Cache::lock_file(std::string_view etag) const { return with_suffix(locks_ / etag, ".lock"); }

std::optional<std::string> Cache::commit_of(std::string_view revision) const {
  std::error_code ignored;
  if (is_commit(revision)) return std::string(revision);
  const fs::path ref = folder_ / "refs" / revision;
  if (!fs::is_regular_file(ref, ignored)) return std::nullopt;
  std::string commit = read_file(ref, kLargestRef);
  while (!commit.empty() && std::isspace(static_cast<unsigned char>(commit.back()))) commit.pop_back();
  return is_commit(commit) ? std::optional(commit) : std::nullopt;
}

void Cache::write_ref(std::string_view revision, std::string_view commit) const {
  if (revision == commit || commit_of(revision) == commit) return;
  const fs::path ref = folder_ / "refs" / revision;
  make_folders(ref.parent_path());
  write_file(ref, commit, /*overwrite=*/true);
}

void Cache::link(std::string_view commit, const std::string& path, std::string_view etag) const {
  const fs::path place = snapshot(commit) / path;
  make_folders(place.parent_path());
  const fs::path target = blob(etag).lexically_relative(place.parent_path());
  std::error_code error;
  if (fs::read_symlink(place, error) == target) return;
  // Made under another name and renamed: readers see the old link or the new one, never none.
  const fs::path made = temporary_beside(place);
  fs::create_symlink(target, made, error);
  if (!error) fs::rename(made, place, error);
  if (error) throw ResourceError(place.string(), "cannot make a symbolic link: " + error.message());
}

Paths files_below(const fs::path& folder) {
  Paths paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored)) paths.push_back(at->path().lexically_relative(folder).generic_string());
  }
  return paths;
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw ResourceError(folder.string(), "cannot create the folder: " + error.message());
}

FileLock::FileLock(const fs::path& file, const Observer& observer) {
  make_folders(file.parent_path());
  for (;;) {
    if (descriptor_ < 0) descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664);
    if (descriptor_ < 0) throw ResourceError(file.string(), fmt::format("cannot open: {}", std::strerror(errno)));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
      if (same_file(descriptor_, file)) return;
      // Its last holder removed the file: a lock on what no name leads to keeps nobody out.
      ::close(descriptor_);
      descriptor_ = -1;
      continue;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) return;
    try {
      check_cancelled(observer);
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace fresco::hub
