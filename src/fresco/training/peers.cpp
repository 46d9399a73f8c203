#include "fresco/training/peers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <vector>

#include "fresco/core/error.h"

namespace fresco::training {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr size_t kLongestReason = 400;

std::string key(const char* what, int rank) { return fmt::format("{}/{}", what, rank); }

/// Often enough to name the missing soon, seldom enough that hundreds of processes do not trouble the store.
milliseconds interval_for(milliseconds timeout) {
  return std::clamp(timeout / 8, milliseconds(50), milliseconds(2000));
}

std::string own_name() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) return fmt::format("pid {}", getpid());
  return fmt::format("{}, pid {}", host, getpid());
}

}  // namespace

struct Peers::State {
  State(c10::intrusive_ptr<c10d::Store> shared, const JobPlace& own, milliseconds pause)
      : store(std::move(shared)), place(own), interval(pause) {}

  c10::intrusive_ptr<c10d::Store> store;
  const JobPlace place;
  const milliseconds interval;
  std::string first_name;  // of process 0, which mostly serves the store
  uint64_t beats = 0;      // the thread's own
  std::atomic<uint64_t> collectives = 0;

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex:
  bool stopping = false, ended = false;
  bool deaf = false;                      // the store did not answer in time: nothing is said to it any more
  std::optional<std::string> suspicion;   // a failed collective, to be looked into
  std::optional<std::string> last_words;  // why this process stops
  std::optional<std::string> verdict;     // what became of the job

  void join(milliseconds timeout);
  void run();
  void watch();
  void beat();
  void look_at_verdict();
  void act();
  std::string judge(const std::string& what);
  void publish(const std::string& text);
  void conclude(const std::string& text);
  void leave();
  std::string who(int rank);
  std::vector<std::pair<uint64_t, uint64_t>> read_beats();
  std::string lost_store() const;
  bool pause(milliseconds length);
};

// ---- The thread -------------------------------------------------------------------------------------
void Peers::State::join(milliseconds timeout) {
  beat();
  store->set(key("name", place.rank), own_name());
  const auto deadline = Clock::now() + timeout;
  std::vector<int> missing;
  for (int rank = 0; rank < place.size; ++rank) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    try {
      store->wait({key("name", rank)}, std::max(left, milliseconds(1)));
    } catch (const c10::Error&) {
      if (Clock::now() < deadline) throw ResourceError("workers", lost_store());
      missing.push_back(rank);
    }
  }
  if (!missing.empty()) {
    throw ResourceError(
        "workers", fmt::format("waited {:.0f} s at {}:{} for {} of {} processes: rank {}", timeout.count() / 1000.0,
                               place.host, place.port, missing.size(), place.size, fmt::join(missing, ", ")));
  }
  first_name = store->get_to_str(key("name", 0));
}

void Peers::State::run() {
  try {
    watch();
  } catch (const std::exception&) {
    conclude(lost_store());
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

void Peers::State::watch() {
  while (true) {
    beat();
    look_at_verdict();
    act();
    std::unique_lock lock(mutex);
    changed.wait_for(lock, interval, [&] { return stopping || (!verdict && (suspicion || last_words)); });
    if (!stopping) continue;
    lock.unlock();
    act();
    return leave();
  }
}

void Peers::State::beat() { store->set(key("beat", place.rank), fmt::format("{} {}", ++beats, collectives.load())); }

void Peers::State::look_at_verdict() {
  {
    const std::lock_guard lock(mutex);
    if (verdict) return;
  }
  if (store->check({"verdict"})) conclude(store->get_to_str("verdict"));
}

void Peers::State::act() {
  std::optional<std::string> what, words;
  {
    const std::lock_guard lock(mutex);
    if (verdict) return;
    what = suspicion;
    words = last_words;
  }
  if (words)
    publish(fmt::format("{} gave up: {}", who(place.rank), *words));
  else if (what)
    publish(judge(*what));
}

std::string Peers::State::judge(const std::string& what) {
  const auto before = read_beats();
  for (int i = 0; i < 3; ++i) {  // three of the others' intervals, with own heartbeats going on
    pause(interval);
    beat();
  }
  // Another process may have judged, or told its own reason, meanwhile.
  if (store->check({"verdict"})) return store->get_to_str("verdict");
  const auto after = read_beats();
  uint64_t most = 0;
  for (const auto& [count, begun] : after) most = std::max(most, begun);
  std::vector<std::string> silent, behind;
  for (int rank = 0; rank < place.size; ++rank) {
    const auto& [count, begun] = after.at(rank);
    if (rank != place.rank && count == before.at(rank).first)
      silent.push_back(who(rank));
    else if (begun < most)
      behind.push_back(fmt::format("{} has come to exchange {} of {}", who(rank), begun, most));
  }
  if (!silent.empty()) store->add("silent", static_cast<int64_t>(silent.size()));
  if (!silent.empty())
    return fmt::format("{} has stopped or does not answer; {} noticed: {}", fmt::join(silent, ", "), who(place.rank),
                       what);
  if (!behind.empty()) return fmt::format("{}; {} waited for it: {}", fmt::join(behind, ", "), who(place.rank), what);
  return fmt::format("{}: {}", who(place.rank), what);
}

/// The first to publish is right: everybody ends with the same words.
void Peers::State::publish(const std::string& text) {
  const std::string first = store->compareSet("verdict", std::string(), text);
  conclude(first.empty() ? text : first);
}

void Peers::State::conclude(const std::string& text) {
  const std::lock_guard lock(mutex);
  if (!verdict) verdict = text;
  changed.notify_all();
}

void Peers::State::leave() {
  const int64_t left = store->add("left", 1);
  if (place.rank != 0 || place.launcher_store || left >= place.size) return;
  // The store ends with this process. Those who go on a little need it no more; those who failed may not have read the
  // verdict yet.
  const int64_t most = place.size - store->add("silent", 0);
  const auto deadline = Clock::now() + (verdict ? 3 * interval : milliseconds(5000));
  while (Clock::now() < deadline && store->add("left", 0) < most) std::this_thread::sleep_for(milliseconds(10));
}

std::string Peers::State::who(int rank) {
  return fmt::format("process {} of {} ({})", rank, place.size, store->get_to_str(key("name", rank)));
}

std::vector<std::pair<uint64_t, uint64_t>> Peers::State::read_beats() {
  std::vector<std::pair<uint64_t, uint64_t>> result;
  for (int rank = 0; rank < place.size; ++rank) {
    const std::string text = store->get_to_str(key("beat", rank));
    char* next = nullptr;
    const uint64_t count = std::strtoull(text.c_str(), &next, 10);
    result.emplace_back(count, std::strtoull(next, nullptr, 10));
  }
  return result;
}

std::string Peers::State::lost_store() const {
  if (place.launcher_store)
    return fmt::format("the launcher at {}:{} does not answer any more", place.host, place.port);
  return fmt::format("process 0 of {}{} has stopped or does not answer at {}:{}", place.size,
                     first_name.empty() ? "" : " (" + first_name + ")", place.host, place.port);
}

/// False when the process wants to end.
bool Peers::State::pause(milliseconds length) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, length, [&] { return stopping; });
}

// ---- The other side ---------------------------------------------------------------------------------
Peers::Peers(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place, milliseconds timeout)
    : state_(std::make_shared<State>(store, place, interval_for(timeout))) {
  state_->join(timeout);
  thread_ = std::thread([state = state_] { state->run(); });
}

Peers::~Peers() {
  {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
    const auto patience = 6 * state_->interval + milliseconds(6000);
    if (state_->deaf || !state_->changed.wait_for(lock, patience, [&] { return state_->ended; })) {
      thread_.detach();
      return;
    }
  }
  thread_.join();
}

void Peers::count() { ++state_->collectives; }

void Peers::wait(const std::function<bool()>& done) {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return done() || state_->verdict; });
  if (!done()) throw ResourceError("workers", *state_->verdict);
}

void Peers::ring() {
  const std::lock_guard lock(state_->mutex);
  state_->changed.notify_all();
}

bool Peers::failed() const {
  const std::lock_guard lock(state_->mutex);
  return state_->verdict.has_value();
}

void Peers::fail(const std::string& what) {
  std::unique_lock lock(state_->mutex);
  state_->suspicion = printable(what, kLongestReason);
  state_->changed.notify_all();
  const auto patience = 6 * state_->interval + milliseconds(1000);
  if (!state_->changed.wait_for(lock, patience, [&] { return state_->verdict.has_value(); })) {
    state_->verdict = fmt::format("{}; noticed in: {}", state_->lost_store(), *state_->suspicion);
    state_->deaf = true;
  }
  throw ResourceError("workers", *state_->verdict);
}

void Peers::give_up(const std::string& reason) {
  std::unique_lock lock(state_->mutex);
  if (state_->verdict) return;
  state_->last_words = printable(reason, kLongestReason);
  state_->changed.notify_all();
  state_->changed.wait_for(lock, 2 * state_->interval + milliseconds(500), [&] { return state_->verdict.has_value(); });
}

}  // namespace fresco::training
