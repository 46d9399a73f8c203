#pragma once
// Values made ahead by threads in the background and handed out in order. Free of libtorch.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace fresco::data {

/// make(i) for i from `first` up to `end`, on `threads` threads, at most `ahead` values more than were taken. One consumer.
template <typename T>
class Prefetch {
 public:
  Prefetch(int64_t first, int64_t end, int threads, int64_t ahead, std::function<T(int64_t)> make)
      : make_(std::move(make)), end_(end), ahead_(ahead < 1 ? 1 : ahead), begun_(first), taken_(first) {
    for (int i = 0; i < (threads < 1 ? 1 : threads); ++i) threads_.emplace_back([this] { work(); });
  }
  ~Prefetch() {
    {
      const std::lock_guard lock(mutex_);
      end_ = begun_;
    }
    changed_.notify_all();
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  bool at_end() const { return taken_ >= end_; }
  /// The next value; not to be called at the end. Throws what make() threw for it.
  T next() {
    std::unique_lock lock(mutex_);
    const auto start = std::chrono::steady_clock::now();
    changed_.wait(lock, [this] { return made_.contains(taken_); });
    waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    auto node = made_.extract(taken_++);
    lock.unlock();
    changed_.notify_all();
    if (auto* failure = std::get_if<std::exception_ptr>(&node.mapped())) std::rethrow_exception(*failure);
    return std::get<T>(std::move(node.mapped()));
  }
  /// Seconds that next() waited for, in all.
  double seconds_waited() const { return waited_; }

 private:
  using Made = std::variant<T, std::exception_ptr>;

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return begun_ >= end_ || begun_ < taken_ + ahead_; });
      if (begun_ >= end_) return;
      const int64_t index = begun_++;
      lock.unlock();
      Made made = attempt(index);
      lock.lock();
      made_.emplace(index, std::move(made));
      changed_.notify_all();
    }
  }
  Made attempt(int64_t index) {
    try {
      return make_(index);
    } catch (...) {
      return std::current_exception();
    }
  }

  std::function<T(int64_t)> make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Made> made_;
  int64_t end_, ahead_, begun_, taken_;
  double waited_ = 0;
  std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

}  // namespace fresco::data
