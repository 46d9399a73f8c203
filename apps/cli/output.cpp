#include "output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "fresco/core/error.h"

namespace fresco::cli {

void write_out(std::string_view text) {
  static bool reader_left = false;
  if (reader_left) return;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return;
  const int error = errno;
  std::clearerr(stdout);
  reader_left = true;
  // EBADF: started with standard output closed.
  if (error != EPIPE && error != EBADF)
    throw ResourceError("standard output", fmt::format("cannot write: {}", std::strerror(error)));
}

void write_error_line(std::string_view text) noexcept {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

}  // namespace fresco::cli
