#include "fresco/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "fresco/core/error.h"

namespace fresco {
namespace {

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  const Descriptor file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (file.value < 0 || ::fstat(file.value, &status) != 0) throw InputError(path_.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw InputError(path_.string(), "expected a file, got a folder or device");
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* start = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (start == MAP_FAILED) throw ResourceError(path_.string(), std::string("cannot map: ") + std::strerror(errno));
  data_ = static_cast<const std::byte*>(start);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace fresco
