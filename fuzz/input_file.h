#pragma once
// The fuzzer's bytes as a file, for readers that map files.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace fresco::fuzz {

/// A file in memory with a path under /proc.
class InputFile {
 public:
  InputFile(const uint8_t* data, size_t size) : descriptor_(::memfd_create("input", 0)) {
    for (size_t done = 0; done < size;) {
      const auto count = ::write(descriptor_, data + done, size - done);
      if (count <= 0) break;
      done += static_cast<size_t>(count);
    }
  }
  ~InputFile() { ::close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace fresco::fuzz
