#include "fresco/training/peer_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "fresco/core/error.h"

namespace fresco::training {
namespace {

constexpr const char* kVerdict = "verdict";
constexpr const char* kLeft = "left";
constexpr const char* kSilent = "silent";
constexpr std::chrono::milliseconds kAwaiting(100);  // between looks while somebody waits
constexpr std::chrono::milliseconds kEarly(20);      // by which the store's clock may end a wait before ours
constexpr std::string_view kGoodbye = "left";        // in place of a beat

std::string name_key(int rank) { return fmt::format("name/{}", rank); }
std::string beat_key(int rank) { return fmt::format("beat/{}", rank); }

std::string own_name() {
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) return fmt::format("pid {}", getpid());
  return fmt::format("{}, pid {}", host, getpid());
}

}  // namespace

// Often enough to name the missing soon, seldom enough that hundreds of processes do not trouble the store.
PeerWatch::PeerWatch(c10::intrusive_ptr<c10d::Store> store, const JobPlace& place, milliseconds unheard)
    : silence(unheard),
      interval(std::clamp(unheard / 8, milliseconds(50), milliseconds(2000))),
      heard(Clock::now()),
      store_(std::move(store)),
      place_(place),
      neighbour_since_(Clock::now()) {}

void PeerWatch::join(milliseconds timeout) {
  beat();
  store_->set(name_key(place_.rank), own_name());
  const auto deadline = Clock::now() + timeout;
  std::vector<int> missing;
  for (int rank = 0; rank < place_.size; ++rank) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    try {
      store_->wait({name_key(rank)}, std::max(left, milliseconds(1)));
    } catch (const c10::Error&) {
      if (Clock::now() < deadline - kEarly) throw ResourceError("workers", lost_store());
      missing.push_back(rank);
    }
  }
  if (!missing.empty()) {
    const double seconds = std::chrono::duration<double>(timeout).count();
    throw ResourceError("workers",
                        fmt::format("waited {:.0f} s at {}:{} for {} of {} processes: rank {}", seconds, place_.host,
                                    place_.port, missing.size(), place_.size, fmt::join(missing, ", ")));
  }
  first_name_ = store_->get_to_str(name_key(0));
}

void PeerWatch::run() {
  try {
    watch();
  } catch (const std::exception&) {
    conclude(lost_store());
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

void PeerWatch::watch() {
  while (true) {
    beat();
    look_at_verdict();
    look_at_neighbour();
    look_at_keys();
    act();
    std::unique_lock lock(mutex);
    heard = Clock::now();
    const bool awaiting = !awaited.empty();
    const auto asked = [&] {
      return stopping || (!verdict && (suspicion || last_words)) || !announced.empty() || awaiting == awaited.empty();
    };
    changed.wait_for(lock, awaiting ? std::min(interval, kAwaiting) : interval, asked);
    if (!stopping) continue;
    lock.unlock();
    look_at_keys();
    act();
    return leave();
  }
}

void PeerWatch::beat() { store_->set(beat_key(place_.rank), fmt::format("{} {}", ++beats_, collectives.load())); }

void PeerWatch::look_at_verdict() {
  {
    const std::lock_guard lock(mutex);
    if (verdict) return;
  }
  if (store_->check({kVerdict})) conclude(store_->get_to_str(kVerdict));
}

/// A machine that is gone closes no connection. Each process watches over the next one, so that all are watched.
void PeerWatch::look_at_neighbour() {
  std::string now = store_->get_to_str(beat_key((place_.rank + 1) % place_.size));
  if (now != neighbour_ || now == kGoodbye) {
    neighbour_ = std::move(now);
    neighbour_since_ = Clock::now();
    return;
  }
  if (Clock::now() - neighbour_since_ < silence) return;
  const std::lock_guard lock(mutex);
  if (!verdict && !suspicion) suspicion.emplace();
}

void PeerWatch::look_at_keys() {
  std::string to_set, to_find;
  {
    const std::lock_guard lock(mutex);
    to_set = announced;
    to_find = awaited;
  }
  if (!to_set.empty()) store_->set(to_set, std::string("1"));
  const bool found = !to_find.empty() && store_->check({to_find});
  const std::lock_guard lock(mutex);
  announced.clear();
  if (found) awaited.clear();
  changed.notify_all();
}

void PeerWatch::act() {
  std::optional<std::string> what, words;
  {
    const std::lock_guard lock(mutex);
    if (verdict) return;
    what = suspicion;
    words = last_words;
  }
  if (words) return publish(fmt::format("{} gave up: {}", who(place_.rank), *words));
  if (!what) return;
  const std::string text = judge(*what);
  if (!text.empty()) return publish(text);
  const std::lock_guard lock(mutex);
  if (suspicion == what) suspicion.reset();
}

/// What became of the job, for a failed collective; of mere silence, which has no text of its own, nothing when all are
/// there.
std::string PeerWatch::judge(const std::string& what) {
  const auto before = read_beats();
  for (int i = 0; i < 3; ++i) {  // three of the others' intervals, with own heartbeats going on
    if (!pause(interval)) return what;
    beat();
  }
  // Another process may have judged, or told its own reason, meanwhile.
  if (store_->check({kVerdict})) return store_->get_to_str(kVerdict);
  return who_is_missing(before, read_beats(), what);
}

std::string PeerWatch::who_is_missing(const std::vector<Beat>& before, const std::vector<Beat>& after,
                                      const std::string& what) {
  uint64_t most = 0;
  for (const Beat& beat : after) most = std::max(most, beat.begun);
  std::vector<std::string> silent, behind;
  for (int rank = 0; rank < place_.size; ++rank) {
    const auto& [count, begun] = after.at(rank);
    if (rank != place_.rank && count == before.at(rank).count) {
      silent.push_back(who(rank));
    } else if (begun < most) {
      behind.push_back(fmt::format("{} has come to exchange {} of {}", who(rank), begun, most));
    }
  }
  const std::string own = who(place_.rank);
  if (!silent.empty()) {
    store_->add(kSilent, static_cast<int64_t>(silent.size()));
    const std::string noticed =
        what.empty() ? fmt::format("no sign for {:.0f} s", std::chrono::duration<double>(silence).count()) : what;
    return fmt::format("{} has stopped or does not answer; {} noticed: {}", fmt::join(silent, ", "), own, noticed);
  }
  if (what.empty()) return {};
  if (!behind.empty()) return fmt::format("{}; {} waited for it: {}", fmt::join(behind, ", "), own, what);
  return fmt::format("{}: {}", own, what);
}

/// The first to publish is right: everybody ends with the same words.
void PeerWatch::publish(const std::string& text) {
  const std::string first = store_->compareSet(kVerdict, std::string(), text);
  conclude(first.empty() ? text : first);
}

void PeerWatch::conclude(const std::string& text) {
  const std::lock_guard lock(mutex);
  if (!verdict) verdict = text;
  changed.notify_all();
}

void PeerWatch::leave() {
  store_->set(beat_key(place_.rank), std::string(kGoodbye));
  const int64_t left = store_->add(kLeft, 1);
  if (place_.rank != 0 || place_.launcher_store || left >= place_.size) return;
  // The store ends with this process. Those who go on a little need it no more; those who failed may not have read the
  // verdict yet.
  const int64_t most = place_.size - store_->add(kSilent, 0);
  const auto deadline = Clock::now() + (verdict ? 3 * interval : milliseconds(5000));
  while (Clock::now() < deadline && store_->add(kLeft, 0) < most) std::this_thread::sleep_for(milliseconds(10));
}

std::string PeerWatch::who(int rank) {
  return fmt::format("process {} of {} ({})", rank, place_.size, store_->get_to_str(name_key(rank)));
}

std::vector<PeerWatch::Beat> PeerWatch::read_beats() {
  std::vector<Beat> result;
  for (int rank = 0; rank < place_.size; ++rank) {
    const std::string text = store_->get_to_str(beat_key(rank));
    char* next = nullptr;
    const uint64_t count = std::strtoull(text.c_str(), &next, 10);
    result.push_back({count, std::strtoull(next, nullptr, 10)});
  }
  return result;
}

std::string PeerWatch::lost_store() const {
  if (place_.launcher_store)
    return fmt::format("the launcher at {}:{} does not answer any more", place_.host, place_.port);
  return fmt::format("process 0 of {}{} has stopped or does not answer at {}:{}", place_.size,
                     first_name_.empty() ? "" : " (" + first_name_ + ")", place_.host, place_.port);
}

/// False when the process wants to end.
bool PeerWatch::pause(milliseconds length) {
  std::unique_lock lock(mutex);
  return !changed.wait_for(lock, length, [&] { return stopping; });
}

}  // namespace fresco::training
