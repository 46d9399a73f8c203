#pragma once
// What a process's watching thread does (peers.h): it counts up the heartbeat, looks at the next process's, reads and
// publishes what became of the job, and alone talks to the store, which may stop answering.
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/training/job_place.h"

namespace fresco::training {

class PeerWatch {
 public:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  /// silence: so long may a process be unheard of.
  PeerWatch(c10::intrusive_ptr<c10d::Store> store, const JobPlace& place, milliseconds silence);

  /// Waits for all processes. Errors: ResourceError naming those that have not come.
  void join(milliseconds timeout);
  /// The thread: until `stopping`.
  void run();

  const milliseconds silence, interval;
  std::atomic<uint64_t> collectives = 0;  // begun here

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex:
  bool stopping = false, ended = false;
  bool deaf = false;                      // the store did not answer in time: nothing is said to it any more
  std::optional<std::string> suspicion;   // a failed collective, to be looked into
  std::optional<std::string> last_words;  // why this process stops
  std::optional<std::string> verdict;     // what became of the job
  std::string announced, awaited;         // keys to be set, and looked for; empty when done
  Clock::time_point heard;                // when the store last answered

  std::string lost_store() const;

 private:
  struct Beat {
    uint64_t count = 0, begun = 0;
  };
  void watch();
  void beat();
  void look_at_verdict();
  void look_at_neighbour();
  void look_at_keys();
  void act();
  std::string judge(const std::string& what);
  std::string who_is_missing(const std::vector<Beat>& before, const std::vector<Beat>& after, const std::string& what);
  void publish(const std::string& text);
  void conclude(const std::string& text);
  void leave();
  std::string who(int rank);
  std::vector<Beat> read_beats();
  bool pause(milliseconds length);

  c10::intrusive_ptr<c10d::Store> store_;
  const JobPlace place_;
  std::string first_name_;  // of process 0, which mostly serves the store
  uint64_t beats_ = 0;
  std::string neighbour_;  // its last beat, and since when it has stood there
  Clock::time_point neighbour_since_;
};

}  // namespace fresco::training
