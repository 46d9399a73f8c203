#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "fresco/core/error.h"
#include "fresco/training/backend.h"

namespace fresco::training {
namespace {

/// A listening socket that other machines cannot reach; the store's own would serve all interfaces.
int listen_on_loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(descriptor, 1024) != 0) {
    const int cause = errno;
    if (descriptor >= 0) close(descriptor);
    throw ResourceError("127.0.0.1:" + std::to_string(port),
                        std::string("cannot listen there for the other processes: ") + std::strerror(cause));
  }
  return descriptor;
}

/// c10d writes stack traces to standard error when a process is lost; ours say what happened. TORCH_CPP_LOG_LEVEL
/// brings them back.
void quiet_engine() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
}

}  // namespace

c10::intrusive_ptr<c10d::Store> open_store(const JobPlace& place, std::chrono::milliseconds timeout) {
  quiet_engine();
  c10d::TCPStoreOptions options;
  options.port = place.port;
  options.isServer = place.rank == 0 && !place.launcher_store;
  options.waitWorkers = false;
  options.timeout = timeout;
  const bool inside = place.host == "localhost" || place.host.starts_with("127.");
  if (options.isServer && inside) options.masterListenFd = listen_on_loopback(place.port);
  const std::string address = place.host + ":" + std::to_string(place.port);
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(place.host, options);
    // Keys of an earlier attempt may still stand in a launcher's store.
    return c10::make_intrusive<c10d::PrefixStore>("fresco/" + std::to_string(place.attempt), store);
  } catch (const c10::Error& error) {
    const char* problem = options.isServer       ? "cannot listen there for the other processes: "
                          : place.launcher_store ? "the launcher of the job does not answer there: "
                                                 : "process 0 of the job does not answer there: ";
    throw ResourceError(address, problem + printable(error.what_without_backtrace(), 300));
  }
}

}  // namespace fresco::training
