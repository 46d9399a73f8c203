#pragma once
// The processes that train together, one a GPU or one a machine: what they exchange and how they end when one of them
// fails. Engines are c10d's: Gloo for tensors on the CPU, NCCL for those on GPUs.
#include <ATen/core/Tensor.h>

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "fresco/training/job_place.h"

namespace c10d {
class Backend;
class Work;
}  // namespace c10d

namespace fresco::training {

struct WorkersSettings {
  /// For a process to come, and for the slowest at an exchange: what one process does alone must take less.
  std::chrono::milliseconds timeout = std::chrono::minutes(30);
  std::chrono::milliseconds silence = std::chrono::minutes(1);  // a process unheard of so long is lost
  bool gpu = false;                                             // tensors lie on the GPU JobPlace::local_rank
};

/// An exchange under way. The tensor must not be touched before wait() has returned.
class Pending {
 public:
  Pending() = default;  // nothing to wait for
  /// Errors: ResourceError naming the process that stopped, as far as known.
  void wait();

 private:
  friend class Workers;
  struct Exchange;
  std::shared_ptr<Exchange> exchange_;
};

/// A handle, cheap to copy. All processes make the same calls in the same order; with one process every call is
/// trivial. Tensors are contiguous and keep their storage. Sums add in an order that the number of processes decides
/// alone: repeated runs give the same bits.
///
/// After an error nothing further can be exchanged: write a checkpoint and end.
class Workers {
 public:
  /// One process.
  Workers() = default;
  /// The job that the environment tells of (job_place.h). With several processes SIGPIPE is ignored from then on, unless it has a handler:
  /// connections may break. Errors: InputError, ResourceError when not all processes come within the timeout.
  static Workers from_environment(const WorkersSettings& settings = {});
  static Workers join(const JobPlace& place, const WorkersSettings& settings = {});

  int rank() const;
  int size() const;
  bool first() const { return rank() == 0; }

  // ---- Errors of all that follow: ResourceError
  /// Sum over all processes, in place.
  Pending all_reduce(const at::Tensor& tensor) const;
  /// Sum over all processes, in place at `root`; elsewhere the tensor is overwritten with something.
  Pending reduce(const at::Tensor& tensor, int root) const;
  Pending broadcast(const at::Tensor& tensor, int root) const;
  /// Of a flat tensor [count], process r holds elements shard_of(count, r, size): all of them, everywhere.
  void all_gather(const at::Tensor& flat) const;
  void barrier() const;
  /// Sums of a few numbers: losses, norms, flags.
  void all_reduce(std::span<double> values) const;
  /// Errors: InputError "WHAT: differs between process 0 and ..." unless all processes call it with the same value.
  void expect_same(std::string_view what, std::string_view value) const;
  /// Process 0 works while the others wait, however long it takes. meanwhile: what those call now and then, such as a
  /// check for cancellation. Errors: what work() throws; with its text a ResourceError in the others.
  void first_alone(
      const std::function<void()>& work, const std::function<void()>& meanwhile = [] {}) const;
  /// Tells the other processes why this one ends before its time; they stop with this reason at their next exchange.
  void give_up(const std::string& reason) const;

 private:
  friend class Pending;
  struct Job;
  Pending start(const char* verb, const at::Tensor& tensor,
                const std::function<c10::intrusive_ptr<c10d::Work>(c10d::Backend&)>& call) const;
  std::shared_ptr<Job> job_;
};

/// Elements [begin, end) of a flat buffer.
struct Shard {
  int64_t begin = 0, end = 0;
  bool operator==(const Shard&) const = default;
};

/// What process `rank` updates of `count` elements when the optimiser's state is shared out (ZeRO stage 1, Rajbhandari
/// et al. 2020): equal shares in order, begun at multiples of 64 elements; the last takes the rest.
Shard shard_of(int64_t count, int rank, int size);

}  // namespace fresco::training
