#pragma once
// One drawing under way: times its named stages and tells the observer.
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "fresco/core/observer.h"
#include "fresco/ops/profile.h"
#include "fresco/pipeline/draw_request.h"

namespace fresco::pipeline {

class Run {
 public:
  explicit Run(Observer& observer) : observer_(observer) {}

  /// Runs `work` as a stage; a name that occurred before adds to its time.
  template <typename Work>
  auto stage(const std::string& name, Work&& work) {
    check_cancelled(observer_);
    observer_.on_stage_start(name);
    const ops::Span span(ops::SpanKind::stage, name);
    const auto begin = std::chrono::steady_clock::now();
    auto result = work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    observer_.on_stage(name, seconds);
    add(name, seconds);
    return result;
  }

  Observer& observer() { return observer_; }
  std::vector<StageTime> times() && { return std::move(times_); }

 private:
  void add(const std::string& name, double seconds) {
    for (auto& time : times_) {
      if (time.name == name) {
        time.seconds += seconds;
        return;
      }
    }
    times_.push_back({name, seconds});
  }

  Observer& observer_;
  std::vector<StageTime> times_;
};

}  // namespace fresco::pipeline
