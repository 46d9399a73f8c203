// Model and what it is asked.
#include "fresco/pipeline/model.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <pybind11/stl.h>

#include "bind.h"
#include "fresco/pipeline/loaded_model.h"
#include "parts.h"
#include "tensors.h"
#include "watch.h"

namespace fresco::python {
namespace {

using pipeline::Drawing;
using pipeline::DrawRequest;
using pipeline::Generator;
using pipeline::Model;

image::Picture picture_from(int64_t width, int64_t height, int64_t channels, const py::bytes& pixels) {
  image::check_size(width, height, "image");
  const std::string_view bytes = pixels;
  if (channels < 1 || channels > 4 || bytes.size() != static_cast<size_t>(width * height * channels))
    throw InputError("image", "expected as many bytes as its size and channels say, got others");
  return {width, height, channels, {bytes.begin(), bytes.end()}};
}

py::tuple picture_of(const pipeline::DrawnPicture& drawn) {
  const auto& pixels = drawn.picture.pixels;
  return py::make_tuple(drawn.picture.width, drawn.picture.height,
                        py::bytes(reinterpret_cast<const char*>(pixels.data()), pixels.size()));
}

Generator generator_from(const py::object& state) {
  const auto bytes = tensor_from(state, "generator").contiguous();
  if (bytes.scalar_type() != at::kByte)
    throw InputError("generator", expected_got("a state of bytes", described(bytes)));
  const auto* const first = bytes.const_data_ptr<uint8_t>();
  return Generator::from_state({first, first + bytes.numel()});
}

// A row's state in Python: `callback` gets (row, rows, timestep, latents, context, guidance) and gives the last three and whether to stop.
// Torch's thread-local modes are those of a caller's own code meanwhile, and its tensors may be written to.
void tell_row(const py::object& callback, pipeline::RowState& state) {
  const py::gil_scoped_acquire locked;
  const c10::InferenceMode ordinary(false);
  const py::tuple changed =
      callback(state.row, state.rows, state.timestep, Tensor{state.latents}, Tensor{state.context}, state.guidance);
  if (!changed[0].is_none()) state.latents = floats_from(changed[0], "latents");
  if (!changed[1].is_none()) state.context = floats_from(changed[1], "prompt_embeds");
  state.guidance = changed[2].cast<double>();
  state.stop = changed[3].cast<bool>();
}

std::shared_ptr<Drawing> draw(const Model& model, DrawRequest request, py::object callback, py::object target) {
  Watcher watcher(std::move(target));
  if (!callback.is_none()) request.on_row = [&callback](pipeline::RowState& state) { tell_row(callback, state); };
  return unlocked(watcher, [&] { return std::make_shared<Drawing>(model.draw(request, watcher)); });
}

Model load(const pipeline::LoadOptions& options, py::object target) {
  Watcher watcher(std::move(target));
  return unlocked(watcher, [&] { return Model::load(options, watcher); });
}

py::dict defaults(const Model& model) {
  const auto& d = model.defaults();
  py::dict dict;
  dict["sampler"] = d.sampler;
  dict["squeeze"] = d.squeeze;
  dict["num_inference_steps"] = d.steps;
  dict["guidance_scale"] = d.guidance;
  dict["guidance_rescale"] = d.guidance_rescale;
  dict["width"] = d.width;
  dict["height"] = d.height;
  return dict;
}

void bind_request(py::module_& module) {
  py::class_<Generator>(module, "Generator")
      .def(py::init<uint64_t>(), py::arg("seed"))
      .def_static("from_state", &generator_from, py::arg("state"))
      .def("state",
           [](const Generator& self) {
             const auto state = self.state();
             return py::bytes(reinterpret_cast<const char*>(state.data()), state.size());
           })
      .def_property_readonly("seed", &Generator::seed);
  py::class_<DrawRequest>(module, "Request")
      .def(py::init<>())
      .def_readwrite("prompts", &DrawRequest::prompts)
      .def_readwrite("negative", &DrawRequest::negative)
      .def_readwrite("negatives", &DrawRequest::negatives)
      .def_readwrite("steps", &DrawRequest::steps)
      .def_readwrite("sampler", &DrawRequest::sampler)
      .def_readwrite("schedule", &DrawRequest::schedule)
      .def_readwrite("eta", &DrawRequest::eta)
      .def_readwrite("squeeze", &DrawRequest::squeeze)
      .def_readwrite("guidance", &DrawRequest::guidance)
      .def_readwrite("guidance_rescale", &DrawRequest::guidance_rescale)
      .def_readwrite("clip_skip", &DrawRequest::clip_skip)
      .def_readwrite("seed", &DrawRequest::seed)
      .def_readwrite("generators", &DrawRequest::generators)
      .def_readwrite("width", &DrawRequest::width)
      .def_readwrite("height", &DrawRequest::height)
      .def_readwrite("count", &DrawRequest::count)
      .def_readwrite("strength", &DrawRequest::strength)
      .def_readwrite("batch", &DrawRequest::batch)
      .def_readwrite("decode", &DrawRequest::decode)
      .def("set_scheduler",
           [](DrawRequest& self, const std::string& json) { self.scheduler = json_from(json, "scheduler"); })
      .def("set_image", [](DrawRequest& self, int64_t width, int64_t height, int64_t channels,
                           const py::bytes& pixels) { self.init = picture_from(width, height, channels, pixels); })
      .def("set_mask", [](DrawRequest& self, int64_t width, int64_t height, int64_t channels,
                          const py::bytes& pixels) { self.mask = picture_from(width, height, channels, pixels); })
      .def("set_image_values",
           [](DrawRequest& self, const py::object& values) { self.init_values = values_from(values, "image"); })
      .def("set_noise",
           [](DrawRequest& self, const py::object& values) { self.noise = values_from(values, "latents"); })
      .def("set_prompt_embeds",
           [](DrawRequest& self, const py::object& values) {
             self.prompt_embeds = values_from(values, "prompt_embeds");
           })
      .def_property_readonly("prompt_count", &DrawRequest::prompt_count)
      .def("set_negative_prompt_embeds", [](DrawRequest& self, const py::object& values) {
        self.negative_prompt_embeds = values_from(values, "negative_prompt_embeds");
      });
}

void bind_drawing(py::module_& module) {
  py::class_<Drawing, std::shared_ptr<Drawing>>(module, "Drawing")
      .def_property_readonly("pictures",
                             [](const Drawing& self) {
                               py::list list;
                               for (const auto& drawn : self.pictures) list.append(picture_of(drawn));
                               return list;
                             })
      .def_property_readonly("latents",
                             [](const std::shared_ptr<Drawing>& self) { return tensor_of(self->latents, self); })
      .def_property_readonly("image", [](const std::shared_ptr<Drawing>& self) { return tensor_of(self->image, self); })
      .def_property_readonly("settings", [](const Drawing& self) { return json_text(self.settings); })
      .def_property_readonly("stages",
                             [](const Drawing& self) {
                               py::list list;
                               for (const auto& stage : self.stages)
                                 list.append(py::make_tuple(stage.name, stage.seconds));
                               return list;
                             })
      .def_readonly("step_seconds", &Drawing::step_seconds);
}

}  // namespace

void bind_model(py::module_& module) {
  bind_request(module);
  bind_drawing(module);
  py::class_<pipeline::LoadOptions>(module, "LoadOptions")
      .def(py::init([](const checkpoint::ModelRequest& files, const std::string& device, const std::string& precision,
                       const std::string& memory, const std::string& ops, int threads) {
             return pipeline::LoadOptions{.files = files,
                                          .device = parse_device(device),
                                          .precision = parse_precision(precision),
                                          .memory = parse_memory(memory),
                                          .ops = ops,
                                          .threads = threads};
           }),
           py::arg("files"), py::arg("device") = "auto", py::arg("precision") = "auto", py::arg("memory") = "fast",
           py::arg("ops") = "auto", py::arg("threads") = 0);
  py::class_<Model>(module, "Model")
      .def_static("load", &load, py::arg("options"), py::arg("watcher") = py::none())
      .def("draw", &draw, py::arg("request"), py::arg("callback") = py::none(), py::arg("watcher") = py::none())
      .def_property_readonly("family", [](const Model& self) { return std::string(checkpoint::name(self.family())); })
      .def_property_readonly("device", [](const Model& self) { return std::string(name(self.device())); })
      .def_property_readonly("precision", [](const Model& self) { return std::string(name(self.precision())); })
      .def_property_readonly("defaults", &defaults)
      .def_property_readonly("scale", [](const Model& self) { return self.impl()->specs.vae.scale(); })
      .def_property_readonly("place", [](const Model& self) { return self.impl()->files.root.string(); })
      .def_property_readonly("scheduler_config",
                             [](const Model& self) { return json_text(self.impl()->files.scheduler); })
      .def_property_readonly("weights_hash",
                             [](const Model& self) {
                               const py::gil_scoped_release released;
                               return self.weights_hash();
                             })
      .def("tokenizer", &tokenizer_of)
      .def("text_encoder", &text_encoder_of)
      .def("unet", &unet_of)
      .def("vae", &vae_of);
}

}  // namespace fresco::python
