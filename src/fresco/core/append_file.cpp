#include "fresco/core/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "fresco/core/error.h"

namespace fresco {

AppendFile::AppendFile(std::filesystem::path file) : file_(std::move(file)) {
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw InputError(file_.string(), std::string("cannot write: ") + std::strerror(errno));
  struct stat facts {};
  if (::fstat(descriptor_, &facts) == 0) size_ = static_cast<uint64_t>(facts.st_size);
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void AppendFile::append(std::string_view record) {
  const uint64_t whole = size_ + record.size();
  while (!record.empty()) {
    const ssize_t written = ::write(descriptor_, record.data(), record.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const std::string reason = std::strerror(errno);
      [[maybe_unused]] const int failed = ::ftruncate(descriptor_, static_cast<off_t>(size_));
      throw ResourceError(file_.string(), "cannot write: " + reason);
    }
    record.remove_prefix(static_cast<size_t>(written));
  }
  size_ = whole;
}

void AppendFile::sync() {
  if (::fdatasync(descriptor_) != 0)
    throw ResourceError(file_.string(), std::string("cannot write: ") + std::strerror(errno));
}

}  // namespace fresco
