#include <ATen/Parallel.h>
#include <pybind11/stl.h>

#include "bind.h"
#include "fresco/checkpoint/model_files.h"
#include "fresco/core/error.h"
#include "fresco/core/names.h"
#include "fresco/pipeline/inspect.h"
#include "fresco/pipeline/torch_errors.h"
#include "fresco/sampling/sampler.h"
#include "tensors.h"
#include "watch.h"

namespace fresco::python {
namespace {

const char* class_of(const Error& error) {
  switch (error.exit_status()) {
    case ExitStatus::input:
      return "InputError";
    case ExitStatus::format:
      return "FormatError";
    case ExitStatus::resource:
      return "ResourceError";
    case ExitStatus::interrupted:
      return "Interrupted";
    case ExitStatus::success:
      break;
  }
  return "Error";
}

// Bytes of a stranger's file may stand in a message.
py::str text_of(const std::string& bytes) {
  auto* const text = PyUnicode_DecodeUTF8(bytes.data(), static_cast<py::ssize_t>(bytes.size()), "replace");
  return py::reinterpret_steal<py::str>(text);
}

void raise(const Error& error) {
  try {
    const py::object type = py::module_::import("fresco._errors").attr(class_of(error));
    const py::object raised = type(text_of(error.what()), text_of(error.where()));
    PyErr_SetObject(type.ptr(), raised.ptr());
  } catch (py::error_already_set& failed) {
    failed.restore();
  }
}

std::string inspect(const checkpoint::ModelRequest& request, py::object target) {
  Watcher watcher(std::move(target));
  return unlocked(watcher, [&] {
    const auto report = pipeline::inspect(checkpoint::open_model(request, watcher));
    Json json = pipeline::to_json(report);
    json["whole"] = report.whole();
    return json_text(json);
  });
}

py::list samplers() {
  py::list list;
  for (const auto& info : sampling::samplers()) {
    py::dict entry;
    entry["name"] = info.name;
    entry["class_name"] = info.class_name;
    entry["description"] = info.description;
    list.append(entry);
  }
  return list;
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      raise(error);
    } catch (const c10::Error& error) {
      const std::string text = error.what_without_backtrace();
      raise(ResourceError("libtorch", printable(text.substr(0, text.find('\n')), 300)));
    }
  });
}

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_from(const std::string& text, const char* argument) {
  try {
    return parse_json(text, argument);
  } catch (const FormatError& error) {
    throw InputError("", error.what());
  }
}

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ library; `fresco` is what to import.";
  bind_errors(module);
  bind_tensors(module);
  py::class_<checkpoint::ModelRequest>(module, "ModelRequest")
      .def(py::init([](std::string model, std::string revision, std::string vae, std::string config) {
             return checkpoint::ModelRequest{std::move(model), std::move(revision), std::move(vae), std::move(config)};
           }),
           py::arg("model"), py::arg("revision") = "", py::arg("vae") = "", py::arg("config") = "");
  bind_model(module);
  bind_networks(module);
  bind_sampling(module);
  module.def("inspect", &inspect, py::arg("model"), py::arg("watcher") = py::none());
  module.def("samplers", &samplers);
  module.def("version", [] { return std::string(version()); });
}

}  // namespace fresco::python
