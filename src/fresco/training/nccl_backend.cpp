#include "fresco/core/error.h"
#include "fresco/training/backend.h"

#ifdef FRESCO_NCCL
#define USE_C10D_NCCL 1  // libtorch was built with it; its header asks
#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdlib>

namespace fresco::training {

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place,
                                            std::chrono::milliseconds timeout) {
  try {
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(place.local_rank));
    // A wait that ends: without it a process that died elsewhere makes the engine's own thread end this one, before it
    // has saved its work.
    setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = timeout;
    return c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::make_intrusive<c10d::PrefixStore>("nccl", store),
                                                       place.rank, place.size, options);
  } catch (const c10::Error& error) {
    throw ResourceError("workers", "NCCL does not start: " + printable(error.what_without_backtrace(), 300));
  }
}

}  // namespace fresco::training

#else

namespace fresco::training {

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>&, const JobPlace&,
                                            std::chrono::milliseconds) {
  throw ResourceError(
      "workers",
      "several processes on GPUs need NCCL, which this build lacks: build with FRESCO_CUDA=ON where nccl.h is found");
}

}  // namespace fresco::training

#endif
