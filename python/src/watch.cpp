#include "watch.h"

namespace fresco::python {

Watcher::Watcher(py::object target) : target_(std::move(target)) {}

template <typename... Arguments>
void Watcher::tell(const char* method, Arguments... arguments) {
  const py::gil_scoped_acquire locked;
  if (!target_.is_none()) target_.attr(method)(arguments...);
}

void Watcher::on_stage_start(std::string_view name) { tell("stage_start", name); }
void Watcher::on_stage(std::string_view name, double seconds) { tell("stage", name, seconds); }
void Watcher::on_transfer(const Transfer& transfer) { tell("transfer", transfer.what, transfer.done, transfer.total); }
void Watcher::on_step(const Step& step) { tell("step", step.index, step.of, step.seconds); }
void Watcher::on_warning(std::string_view text) {
  const py::gil_scoped_acquire locked;
  if (!target_.is_none())
    target_.attr("warning")(py::reinterpret_steal<py::str>(
        PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace")));
}

// Signals reach Python in its main thread alone; elsewhere there is nothing to ask.
bool Watcher::cancelled() const {
  const py::gil_scoped_acquire locked;
  if (PyErr_CheckSignals() == 0) return false;
  raised_.emplace();
  return true;
}

void Watcher::rethrow() const {
  if (raised_) throw *raised_;
}

}  // namespace fresco::python
