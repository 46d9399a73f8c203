#pragma once
// Long work as Python sees it: without the interpreter's lock, watched by a Python object, ended by Ctrl-C.
#include <pybind11/pybind11.h>

#include <optional>
#include <string_view>

#include "fresco/core/error.h"
#include "fresco/core/observer.h"

namespace fresco::python {

namespace py = pybind11;

/// Tells a Python object with methods stage_start(name), stage(name, seconds), transfer(what, done, total), step(index, of, seconds) and
/// warning(text), or None. Calls come with the lock taken for their time.
class Watcher : public Observer {
 public:
  explicit Watcher(py::object target);
  void on_stage_start(std::string_view name) override;
  void on_stage(std::string_view name, double seconds) override;
  void on_transfer(const Transfer& transfer) override;
  void on_step(const Step& step) override;
  void on_warning(std::string_view text) override;
  bool cancelled() const override;
  /// Rethrows what a signal's handler raised, if one did.
  void rethrow() const;

 private:
  template <typename... Arguments>
  void tell(const char* method, Arguments... arguments);

  py::object target_;
  mutable std::optional<py::error_already_set> raised_;
};

/// Runs `work` without the interpreter's lock; a KeyboardInterrupt that ended it comes out as that.
template <typename Work>
auto unlocked(const Watcher& watcher, Work&& work) {
  try {
    const py::gil_scoped_release released;
    return work();
  } catch (const Interrupted&) {
    watcher.rethrow();
    throw;
  }
}

}  // namespace fresco::python
