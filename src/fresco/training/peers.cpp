#include "fresco/training/peers.h"

#include <fmt/format.h>

#include "fresco/core/error.h"
#include "fresco/training/peer_watch.h"

namespace fresco::training {
namespace {

using std::chrono::milliseconds;

constexpr size_t kLongestReason = 400;
constexpr milliseconds kMeanwhile(200);

}  // namespace

Peers::Peers(const c10::intrusive_ptr<c10d::Store>& store, const JobPlace& place, milliseconds timeout,
             milliseconds silence)
    : watch_(std::make_shared<PeerWatch>(store, place, std::min(silence, timeout))) {
  watch_->join(timeout);
  thread_ = std::thread([watch = watch_] { watch->run(); });
}

Peers::~Peers() {
  {
    std::unique_lock lock(watch_->mutex);
    watch_->stopping = true;
    watch_->changed.notify_all();
    const auto patience = 6 * watch_->interval + milliseconds(6000);
    if (watch_->deaf || !watch_->changed.wait_for(lock, patience, [&] { return watch_->ended; })) {
      thread_.detach();
      return;
    }
  }
  thread_.join();
}

void Peers::count() { ++watch_->collectives; }

void Peers::wait(const std::function<bool()>& done) {
  std::unique_lock lock(watch_->mutex);
  const auto over = [&] { return done() || watch_->verdict; };
  for (int unheard = 0; !watch_->changed.wait_for(lock, watch_->silence / 4, over);) {
    // Twice: after this process itself was halted, its watch needs a moment.
    unheard = PeerWatch::Clock::now() - watch_->heard < watch_->silence + 4 * watch_->interval ? 0 : unheard + 1;
    if (unheard < 2) continue;
    watch_->verdict = watch_->lost_store();
    watch_->deaf = true;
  }
  if (!done()) throw ResourceError("workers", *watch_->verdict);
}

void Peers::announce(const std::string& what) {
  std::unique_lock lock(watch_->mutex);
  watch_->announced = what;
  watch_->changed.notify_all();
  lock.unlock();
  wait([&] { return watch_->announced.empty(); });
}

void Peers::await(const std::string& what, const std::function<void()>& meanwhile) {
  std::unique_lock lock(watch_->mutex);
  watch_->awaited = what;
  watch_->changed.notify_all();
  const auto over = [&] { return watch_->awaited.empty() || watch_->verdict; };
  while (!watch_->changed.wait_for(lock, kMeanwhile, over)) {
    lock.unlock();
    meanwhile();
    lock.lock();
  }
  if (!watch_->awaited.empty()) throw ResourceError("workers", *watch_->verdict);
}

void Peers::ring() {
  const std::lock_guard lock(watch_->mutex);
  watch_->changed.notify_all();
}

bool Peers::failed() const {
  const std::lock_guard lock(watch_->mutex);
  return watch_->verdict.has_value();
}

void Peers::fail(const std::string& what) {
  std::unique_lock lock(watch_->mutex);
  watch_->suspicion = printable(what, kLongestReason);
  watch_->changed.notify_all();
  const auto patience = 6 * watch_->interval + milliseconds(1000);
  if (!watch_->changed.wait_for(lock, patience, [&] { return watch_->verdict.has_value(); })) {
    watch_->verdict = fmt::format("{}; noticed: {}", watch_->lost_store(), *watch_->suspicion);
    watch_->deaf = true;
  }
  throw ResourceError("workers", *watch_->verdict);
}

void Peers::give_up(const std::string& reason) {
  std::unique_lock lock(watch_->mutex);
  if (watch_->verdict) return;
  watch_->last_words = printable(reason, kLongestReason);
  watch_->changed.notify_all();
  const auto patience = 2 * watch_->interval + milliseconds(500);
  watch_->changed.wait_for(lock, patience, [&] { return watch_->verdict.has_value(); });
}

}  // namespace fresco::training
