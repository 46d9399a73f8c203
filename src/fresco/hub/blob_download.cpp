#include "fresco/hub/blob_download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fresco/core/error.h"
#include "fresco/hub/blob_hash.h"

namespace fresco::hub {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kReportEvery = 1 << 20;
constexpr int kRangeNotSatisfiable = 416;

/// blobs/<etag>.incomplete, written at its end.
class PartialFile {
 public:
  explicit PartialFile(fs::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) fail("open");
    size_ = static_cast<uint64_t>(status.st_size);
  }
  ~PartialFile() { ::close(descriptor_); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  uint64_t size() const { return size_; }
  const fs::path& path() const { return path_; }

  void clear() {
    if (size_ > 0 && ::ftruncate(descriptor_, 0) != 0) fail("empty");
    size_ = 0;
  }

  void append(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write");
      bytes = bytes.subspan(static_cast<size_t>(written));
      size_ += static_cast<uint64_t>(written);
    }
  }

  void rename_to(const fs::path& target) {
    if (::fsync(descriptor_) != 0) fail("write");
    if (::rename(path_.c_str(), target.c_str()) != 0) fail("rename");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw ResourceError(path_.string(), fmt::format("cannot {}: {}", what, std::strerror(errno)));
  }

  fs::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

bool is_whole(const fs::path& blob, uint64_t size) {
  std::error_code error;
  return fs::is_regular_file(blob, error) && fs::file_size(blob, error) == size && !error;
}

/// Feeds replies into the partial file until it has the announced size.
class Filling {
 public:
  Filling(const DownloadContext& context, const RemoteFile& file, PartialFile& partial)
      : context_(context), file_(file), partial_(partial), where_(fmt::format("{}: {}", context.id, file.path)) {}

  void run() {
    if (partial_.size() > file_.size) partial_.clear();
    uint64_t farthest = partial_.size();
    for (int tries = 1; partial_.size() < file_.size; ++tries) {
      const HttpReply reply = fetch_rest();
      if (overrun_) refuse(fmt::format("expected {} bytes, the server sends more", file_.size));
      if (partial_.size() == file_.size) break;
      if (partial_.size() > farthest) tries = 1;
      farthest = std::max(farthest, partial_.size());
      context_.client.pause(tries, context_.settings.tries, explained(reply), where_);
    }
    report();
  }

  [[noreturn]] void refuse(const std::string& problem) const {
    std::error_code ignored;
    fs::remove(partial_.path(), ignored);
    throw ResourceError(where_, problem + "; what came was removed");
  }

 private:
  HttpReply fetch_rest() {
    bool first = true;
    const auto sink = [&](const HttpReply& head, std::span<const char> bytes) {
      if (std::exchange(first, false) && !begin(head)) return false;
      overrun_ = bytes.size() > file_.size - partial_.size();
      if (overrun_) return false;
      partial_.append(bytes);
      if (partial_.size() >= reported_ + kReportEvery) report();
      return true;
    };
    return context_.client.exchange({.url = file_url(context_.settings, context_.id, context_.commit, file_.path),
                                     .from = partial_.size(),
                                     .sink = sink});
  }

  /// A server may ignore Range and begin at 0; a part that begins elsewhere is of no use.
  bool begin(const HttpReply& head) {
    const uint64_t asked = partial_.size();
    if (head.status == 206) {
      const auto range = head.headers.find("content-range");
      if (range != head.headers.end() && range->second.starts_with(fmt::format("bytes {}-", asked))) return true;
    }
    partial_.clear();
    reported_ = 0;
    return head.status == 200;
  }

  HttpReply explained(HttpReply reply) {
    if (reply.status == kRangeNotSatisfiable)
      partial_.clear();
    else if (!is_worth_another_try(reply) && reply.status >= 300)
      throw_refused(reply, context_.settings, context_.id, "file " + file_.path);
    if (reply.status < 300 && reply.status != 0)
      reply.problem = fmt::format("the connection ended after {} of {} bytes", partial_.size(), file_.size);
    return reply;
  }

  void report() {
    reported_ = partial_.size();
    context_.observer.on_transfer({.what = file_.path, .done = reported_, .total = file_.size});
  }

  const DownloadContext& context_;
  const RemoteFile& file_;
  PartialFile& partial_;
  std::string where_;
  uint64_t reported_ = 0;
  bool overrun_ = false;
};

}  // namespace

void download_blob(const DownloadContext& context, const RemoteFile& file) {
  const fs::path blob = context.cache.blob(file.etag);
  if (is_whole(blob, file.size)) return;
  const FileLock lock(context.cache.lock_file(file.etag), context.observer);
  if (is_whole(blob, file.size)) return;  // another process was here first
  make_folders(blob.parent_path());
  PartialFile partial(context.cache.incomplete(file.etag));
  Filling filling(context, file, partial);
  filling.run();
  const std::string hash = blob_hash(partial.path(), file.etag, context.observer);
  if (hash != file.etag) filling.refuse(fmt::format("expected bytes whose hash is {}, got {}", file.etag, hash));
  partial.rename_to(blob);
}

uint64_t bytes_to_come(const Cache& cache, const RemoteFile& file) {
  if (is_whole(cache.blob(file.etag), file.size)) return 0;
  std::error_code error;
  const auto there = fs::file_size(cache.incomplete(file.etag), error);
  return error || there > file.size ? file.size : file.size - there;
}

}  // namespace fresco::hub
