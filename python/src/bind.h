#pragma once
// What the module `fresco._core` is put together from; the package beside it is what users call.
#include <pybind11/pybind11.h>

#include "fresco/core/json.h"

namespace fresco::python {

namespace py = pybind11;

void bind_errors(py::module_& module);
void bind_model(py::module_& module);     // Model, Request, Drawing, Generator
void bind_networks(py::module_& module);  // Tokenizer, TextEncoder, UNet, Vae
void bind_sampling(py::module_& module);  // SamplingPlan, Run

/// Whatever bytes stand in it: ill-formed UTF-8 is replaced.
std::string json_text(const Json& json);
/// Errors: InputError naming `argument`.
Json json_from(const std::string& text, const char* argument);

}  // namespace fresco::python
