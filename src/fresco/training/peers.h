#pragma once
// Who of a job's processes is still there. Every process counts up a heartbeat in the store that they share; when a
// collective fails, or a count stands still, the missing are named, and all processes stop with the same words instead
// of each waiting for its own timeout.
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "fresco/training/job_place.h"

namespace fresco::training {

class PeerWatch;

class Peers {
 public:
  /// Waits for all processes. silence: a process unheard of for longer ends the job.
  /// Errors: ResourceError naming those that have not come after `timeout`.
  Peers(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place, std::chrono::milliseconds timeout,
        std::chrono::milliseconds silence);
  /// Says goodbye; process 0 stays a little for those who read what became of the job. Takes a few seconds at most.
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  /// A collective begins: processes that are behind are told by it.
  void count();
  /// Returns when done() holds, which is asked again at every ring(). Errors: ResourceError when the job has failed.
  void wait(const std::function<bool()>& done);
  /// Tells something that others await(), however long it takes. meanwhile: called now and then, may throw.
  void announce(const std::string& what);
  void await(const std::string& what, const std::function<void()>& meanwhile);
  void ring();
  bool failed() const;
  /// Finds out who is missing, tells all processes, and throws it as a ResourceError.
  [[noreturn]] void fail(const std::string& what);
  /// Tells all processes that this one stops, and why.
  void give_up(const std::string& reason);

 private:
  std::shared_ptr<PeerWatch> watch_;  // also the thread's: it is left alone when the store does not answer any more
  std::thread thread_;
};

}  // namespace fresco::training
