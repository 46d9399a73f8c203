#include "fresco/data/read_slice.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "fresco/core/error.h"

namespace fresco::data {

SliceReader::SliceReader(const std::filesystem::path& file) : file_(file) {
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError(file.string(), fmt::format("cannot read: {}", std::strerror(errno)));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw InputError(file.string(), "expected a file, got something else");
  }
  size_ = static_cast<uint64_t>(status.st_size);
}

SliceReader::~SliceReader() { ::close(descriptor_); }

std::string SliceReader::read(uint64_t offset, uint64_t count) const {
  if (offset >= size_) return {};
  std::string bytes(std::min(count, size_ - offset), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got =
        ::pread(descriptor_, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw ResourceError(file_.string(), fmt::format("cannot read: {}", std::strerror(errno)));
    if (got == 0) break;  // became shorter meanwhile
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace fresco::data
