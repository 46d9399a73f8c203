#include "fresco/pipeline/torch_errors.h"

namespace fresco::pipeline {

void rethrow_plain(const c10::Error& error) {
  const std::string what = error.what_without_backtrace();
  const std::string line = printable(what.substr(0, what.find('\n')), 200);
  const bool memory =
      what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos;
  if (memory)
    throw ResourceError(
        "memory", "not enough for this picture; a smaller --width, --height or --batch needs less (" + line + ")");
  throw ResourceError("libtorch", line);
}

}  // namespace fresco::pipeline
