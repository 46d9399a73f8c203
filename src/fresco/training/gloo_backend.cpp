#define USE_C10D_GLOO 1  // libtorch was built with it; its header asks
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "fresco/core/error.h"
#include "fresco/training/backend.h"

namespace fresco::training {

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place,
                                            std::chrono::milliseconds timeout) {
  using Gloo = c10d::ProcessGroupGloo;
  try {
    auto options = place.loopback() ? Gloo::Options::create(timeout) : Gloo::Options::create_default(timeout);
    if (place.loopback()) options->devices.push_back(Gloo::createDeviceForHostname("127.0.0.1"));
    return c10::make_intrusive<Gloo>(store, place.rank, place.size, options);
  } catch (const c10::Error& error) {
    throw ResourceError("workers",
                        "no connections to the other processes: " + printable(error.what_without_backtrace(), 300));
  } catch (const std::exception& error) {
    throw ResourceError("workers", "no connections to the other processes: " + printable(error.what(), 300));
  }
}

}  // namespace fresco::training
