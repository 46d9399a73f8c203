#include "interrupt.h"

#include <unistd.h>
#include <csignal>

#include "fresco/core/error.h"
#include "fresco/core/files.h"

namespace fresco::cli {
namespace {

volatile std::sig_atomic_t signals_seen = 0;

void on_signal(int) {
  if (signals_seen > 0) {
    remove_unfinished_files();
    ::_exit(static_cast<int>(ExitStatus::interrupted));
  }
  signals_seen = 1;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool interrupted() noexcept { return signals_seen > 0; }

}  // namespace fresco::cli
