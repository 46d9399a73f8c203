#pragma once
// Tensors between Python and the library, over DLPack or Python's buffers: memory is shared, torch's own bindings are not needed.
#include <ATen/core/Tensor.h>
#include <pybind11/pybind11.h>

#include "fresco/pipeline/draw_request.h"

namespace fresco::python {

namespace py = pybind11;

/// A result on its way to Python: has __dlpack__ (torch.from_dlpack) and, on a CPU, a buffer (numpy.asarray). Both share its memory.
struct Tensor {
  at::Tensor value;
};

/// What an object with __dlpack__ holds, its memory shared; a copy of what an object with a buffer alone holds (read-only arrays).
/// Errors: InputError naming `argument`.
at::Tensor tensor_from(const py::handle& object, const char* argument);

/// The same in float32 (shared when it is that already). Errors: also InputError for other than floating numbers.
at::Tensor floats_from(const py::handle& object, const char* argument);

/// [..] float32 values, copied.
pipeline::Values values_from(const py::handle& object, const char* argument);

/// The values without a copy; `owner` is kept while somebody uses them.
Tensor tensor_of(pipeline::Values& values, std::shared_ptr<const void> owner);

/// "float32 [1, 4, 64, 64]"
std::string described(const at::Tensor& tensor);

void bind_tensors(py::module_& module);

}  // namespace fresco::python
