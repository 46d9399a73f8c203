#include "fresco/data/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fresco/core/error.h"

namespace fresco::data {

FolderLock::FolderLock(const std::filesystem::path& folder) {
  descriptor_ = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw InputError(folder.string(), std::string("cannot write: ") + std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int error = errno;
  ::close(descriptor_);
  if (error == EWOULDBLOCK) throw ResourceError(folder.string(), "another process is writing this folder now");
  throw ResourceError(folder.string(), std::string("cannot be locked: ") + std::strerror(error));
}

FolderLock::~FolderLock() { ::close(descriptor_); }

}  // namespace fresco::data
