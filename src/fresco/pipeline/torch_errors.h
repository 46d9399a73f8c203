#pragma once
// libtorch's exceptions as fresco's.
#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "fresco/core/error.h"

namespace fresco::pipeline {

/// Rethrows the exception in flight as a ResourceError of one line.
[[noreturn]] void rethrow_plain(const c10::Error& error);

/// Runs `work`; memory and device trouble inside libtorch comes out as ResourceError.
template <typename Work>
auto with_plain_errors(Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw ResourceError("memory", "not enough for this picture; a smaller --width, --height or --batch needs less");
  } catch (const c10::Error& error) {
    rethrow_plain(error);
  }
}

}  // namespace fresco::pipeline
