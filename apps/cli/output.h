#pragma once
#include <string_view>

namespace fresco::cli {

/// Writes to standard output and flushes. A reader that has gone away is no failure; a full disk is a ResourceError.
void write_out(std::string_view text);

/// One line on standard error, where it may fail unheard.
void write_error_line(std::string_view text) noexcept;

}  // namespace fresco::cli
