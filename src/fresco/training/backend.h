#pragma once
// The engines that move tensors between processes: c10d's, as PyTorch itself uses them.
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

#include "fresco/training/job_place.h"

namespace fresco::training {

/// The store through which processes find each other: process 0 serves it, or the launcher does. With every process on
/// this machine (a loopback address) it listens on the loopback alone. Errors: ResourceError when it cannot be reached
/// or served within `timeout`.
c10::intrusive_ptr<c10d::Store> open_store(const JobPlace& place, std::chrono::milliseconds timeout);

/// For tensors on the CPU. The interface is the loopback for jobs on one machine, else that of GLOO_SOCKET_IFNAME, else
/// that of the host's name. Errors: ResourceError.
c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place,
                                            std::chrono::milliseconds timeout);

/// For tensors on the GPU place.local_rank. Errors: ResourceError, also in a build without NCCL.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place,
                                            std::chrono::milliseconds timeout);

}  // namespace fresco::training
