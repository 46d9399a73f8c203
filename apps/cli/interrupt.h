#pragma once

namespace fresco::cli {

/// From now on SIGINT and SIGTERM ask the work to stop, a second one ends the program at once with status 130 and without unfinished
/// files; a closed pipe and a file beyond the limit on sizes are errors of write() instead of signals.
void install_signal_handlers();

bool interrupted() noexcept;

}  // namespace fresco::cli
