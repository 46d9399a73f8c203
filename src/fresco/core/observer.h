#pragma once
// How work inside the library is watched and stopped from outside. The library itself never prints.
#include <cstdint>
#include <string_view>

namespace fresco {

/// Bytes done of a download, a load, a conversion; `total` is 0 when unknown.
struct Transfer {
  std::string_view what;
  uint64_t done = 0;
  uint64_t total = 0;
};

/// One U-Net call has ended. index counts from 1.
struct Step {
  int index = 0;
  int of = 0;
  double seconds = 0;
};

/// Calls come from the thread that does the work, one at a time.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_stage_start(std::string_view /*name*/) {}
  virtual void on_stage(std::string_view /*name*/, double /*seconds*/) {}
  virtual void on_transfer(const Transfer&) {}
  virtual void on_step(const Step&) {}
  virtual void on_warning(std::string_view /*text*/) {}
  /// Asked between steps and between blocks of a transfer; true makes the work throw Interrupted.
  virtual bool cancelled() const { return false; }
};

/// Watches nothing; stands in where a caller gives no observer.
Observer& no_observer();

/// Throws Interrupted when the observer asks for it.
void check_cancelled(const Observer& observer);

}  // namespace fresco
