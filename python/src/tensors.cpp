#include "tensors.h"

#include <ATen/ATen.h>
#include <ATen/DLConvertor.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "fresco/core/error.h"

namespace fresco::python {
namespace {

constexpr const char* kFresh = "dltensor";
constexpr const char* kUsed = "used_dltensor";

std::string type_name(const py::handle& object) { return Py_TYPE(object.ptr())->tp_name; }

[[noreturn]] void refuse(const char* argument, std::string_view got) {
  throw InputError(argument, expected_got("a torch.Tensor, a numpy array or another object with __dlpack__", got));
}

std::string one_line(const py::error_already_set& error) {
  auto text = py::str(error.value()).cast<std::string>();
  return printable(text.substr(0, text.find('\n')), 200);
}

// Letters of numpy and of Python's struct module, as far as native sizes and byte order go.
std::optional<at::ScalarType> type_of(const py::buffer_info& info) {
  if (info.format.size() != 1) return std::nullopt;
  switch (info.format[0]) {
    case 'f':
      return at::kFloat;
    case 'd':
      return at::kDouble;
    case 'e':
      return at::kHalf;
    case 'B':
      return at::kByte;
    case 'b':
      return at::kChar;
    case '?':
      return at::kBool;
    case 'h':
      return at::kShort;
    case 'i':
      return at::kInt;
    case 'l':
    case 'q':
      return at::kLong;
    default:
      return std::nullopt;
  }
}

at::Tensor copy_of_buffer(const py::handle& object, const char* argument) {
  const py::buffer_info info = py::reinterpret_borrow<py::buffer>(object).request();
  const auto type = type_of(info);
  if (!type || static_cast<size_t>(info.itemsize) != c10::elementSize(*type))
    refuse(argument, fmt::format("{} of elements \"{}\"", type_name(object), printable(info.format, 20)));
  std::vector<int64_t> shape(info.shape.begin(), info.shape.end()), strides;
  for (const auto bytes : info.strides) {
    if (bytes < 0 || bytes % info.itemsize != 0) refuse(argument, "one that is read backwards; copy it first");
    strides.push_back(bytes / info.itemsize);
  }
  if (info.size == 0) return at::empty(shape, *type);
  return at::from_blob(info.ptr, shape, strides, *type).clone();
}

// What libtorch takes for granted: with other layouts its own import ends the process.
void check_layout(const DLTensor& tensor, const char* argument) {
  if (tensor.ndim < 0 || tensor.ndim > 16) refuse(argument, fmt::format("one of {} sides", tensor.ndim));
  constexpr int64_t kMost = int64_t{1} << 40;  // elements
  int64_t count = 1, reach = 0;
  for (int32_t d = 0; d < tensor.ndim; ++d) {
    const int64_t side = tensor.shape[d], stride = tensor.strides == nullptr ? 0 : tensor.strides[d];
    if (side < 0) refuse(argument, fmt::format("one with a side of {}", side));
    if (stride < 0) refuse(argument, "one that is read backwards; copy it first");
    int64_t step = 0;
    if (__builtin_mul_overflow(count, side, &count) ||
        __builtin_mul_overflow(std::max<int64_t>(side - 1, 0), stride, &step) ||
        __builtin_add_overflow(reach, step, &reach) || count > kMost || reach > kMost)
      refuse(argument, "one that is too large to be there");
  }
}

// Takes what a fresh capsule holds over.
at::Tensor from_capsule(const py::object& capsule, const char* argument) {
  if (PyCapsule_IsValid(capsule.ptr(), kFresh) == 0) refuse(argument, "one whose __dlpack__ gives no fresh capsule");
  auto* const managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.ptr(), kFresh));
  check_layout(managed->dl_tensor, argument);
  auto tensor = at::fromDLPack(managed);
  PyCapsule_SetName(capsule.ptr(), kUsed);
  return tensor;
}

void end_of_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, kFresh) == 0) return;  // somebody took it over
  auto* const managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, kFresh));
  managed->deleter(managed);
}

py::object to_capsule(const Tensor& self, const py::args&, const py::kwargs&) {
  auto* const managed = at::toDLPack(self.value);
  PyObject* const capsule = PyCapsule_New(managed, kFresh, end_of_capsule);
  if (capsule == nullptr) {
    managed->deleter(managed);
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(capsule);
}

// Must not throw: Python asks for it from C. What numpy has no type for, or no way to, is empty.
py::buffer_info buffer_of(Tensor& self) {
  const at::Tensor& t = self.value;
  const bool plain = t.is_cpu() && t.is_contiguous();
  if (plain && (t.scalar_type() == at::kFloat || t.scalar_type() == at::kLong)) {
    const bool real = t.scalar_type() == at::kFloat;
    const py::ssize_t item = real ? 4 : 8;
    std::vector<py::ssize_t> strides;
    for (const int64_t stride : t.strides()) strides.push_back(stride * item);
    return {t.data_ptr(), item, real ? "f" : "q", t.dim(), {t.sizes().begin(), t.sizes().end()}, strides};
  }
  return {nullptr, 1, "B", 1, {0}, {1}};
}

}  // namespace

std::string described(const at::Tensor& tensor) {
  std::string sides;
  for (const int64_t side : tensor.sizes()) sides += fmt::format("{}{}", sides.empty() ? "" : ", ", side);
  return fmt::format("{} [{}]", at::toString(tensor.scalar_type()), sides);
}

at::Tensor tensor_from(const py::handle& object, const char* argument) {
  const c10::InferenceMode ordinary(false);
  if (py::isinstance<Tensor>(object)) return object.cast<Tensor>().value;
  const bool buffer = PyObject_CheckBuffer(object.ptr()) != 0;
  try {
    if (py::hasattr(object, "__dlpack__")) return from_capsule(object.attr("__dlpack__")(), argument);
    if (buffer) return copy_of_buffer(object, argument);
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    refuse(argument, fmt::format("{} that cannot be read ({})", type_name(object),
                                 printable(text.substr(0, text.find('\n')), 200)));
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_Exception)) throw;  // Ctrl-C
    if (!buffer || !py::hasattr(object, "__dlpack__"))
      refuse(argument, fmt::format("{} that cannot be read ({})", type_name(object), one_line(error)));
  }
  if (!buffer) refuse(argument, type_name(object));
  try {
    return copy_of_buffer(object, argument);
  } catch (const py::error_already_set& error) {
    refuse(argument, fmt::format("{} that cannot be read ({})", type_name(object), one_line(error)));
  }
}

at::Tensor floats_from(const py::handle& object, const char* argument) {
  const auto tensor = tensor_from(object, argument);
  if (!at::isFloatingType(tensor.scalar_type()))
    throw InputError(argument, expected_got("floating point numbers", described(tensor)));
  return tensor.to(at::kFloat);
}

pipeline::Values values_from(const py::handle& object, const char* argument) {
  const auto plain = floats_from(object, argument).to(at::kCPU).contiguous();
  const float* const first = plain.const_data_ptr<float>();
  return {plain.sizes().vec(), {first, first + plain.numel()}};
}

Tensor tensor_of(pipeline::Values& values, std::shared_ptr<const void> owner) {
  const auto keep = [owner = std::move(owner)](void*) {};
  return {at::from_blob(values.data.data(), values.shape, keep, at::kFloat)};
}

void bind_tensors(py::module_& module) {
  py::class_<Tensor>(module, "Tensor", py::buffer_protocol(),
                     "A result's memory: torch.from_dlpack and numpy.asarray share it.")
      .def_buffer(&buffer_of)
      .def("__dlpack__", &to_capsule)
      .def("__dlpack_device__",
           [](const Tensor& self) {
             const auto device = self.value.device();
             return py::make_tuple(device.is_cpu() ? 1 : 2, device.is_cpu() ? 0 : static_cast<int>(device.index()));
           })
      .def("cpu", [](const Tensor& self) { return Tensor{self.value.to(at::kCPU).contiguous()}; })
      .def("part",
           [](const Tensor& self, int64_t first, int64_t count) {
             if (first < 0 || count < 0 || first + count > self.value.size(0))
               throw InputError(
                   "part", expected_got("rows of " + described(self.value), fmt::format("{} from {}", count, first)));
             return Tensor{self.value.narrow(0, first, count)};
           })
      .def_property_readonly("shape", [](const Tensor& self) { return py::tuple(py::cast(self.value.sizes().vec())); })
      .def("__repr__", [](const Tensor& self) { return "<fresco tensor " + described(self.value) + ">"; });
}

}  // namespace fresco::python
