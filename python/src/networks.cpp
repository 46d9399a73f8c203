// Networks called with tensors. Shapes are checked here, with the argument's name: inside, a wrong one is a programmer's mistake.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <pybind11/stl.h>

#include "bind.h"
#include "fresco/layers/packed_source.h"
#include "fresco/pipeline/loaded_model.h"
#include "fresco/pipeline/torch_errors.h"
#include "parts.h"
#include "tensors.h"
#include "watch.h"

namespace fresco::python {
namespace {

using pipeline::LoadOptions;

constexpr int64_t kLargestBatch = 4096;

struct Bound {
  unet::BoundContext context;
  int64_t texts = 0;
};

template <typename Work>
auto computed(Work&& work) {
  const py::gil_scoped_release released;
  return pipeline::with_plain_errors([&] {
    const c10::InferenceMode no_gradients;
    return work();
  });
}

[[noreturn]] void refuse(const char* argument, std::string_view expected, const at::Tensor& got) {
  throw InputError(argument, expected_got(expected, described(got)));
}

bool all_positive(const at::Tensor& tensor) { return tensor.numel() > 0 && tensor.size(0) <= kLargestBatch; }

// One network of a model's files, with the preparation for it.
template <typename Network, typename Spec>
std::shared_ptr<const Network> load_part(const checkpoint::Part& part, const Spec& spec,
                                         const layers::Preparation& preparation, Watcher& watcher) {
  uint64_t done = 0, total = 0;
  for (const auto& info : part.tensors->tensors()) total += info.bytes();
  const auto weights = layers::open_weights(part.tensors, preparation, [&](uint64_t bytes) {
    check_cancelled(watcher);
    done += bytes;
    watcher.on_transfer({"load", done, total});
  });
  return std::make_shared<const Network>(spec, *weights, preparation);
}

// load(files, specs, preparation, watcher) of a model that is opened for one of its parts.
template <typename Load>
auto opened(const LoadOptions& options, py::object target, Load&& load) {
  Watcher watcher(std::move(target));
  return unlocked(watcher, [&] {
    return pipeline::with_plain_errors([&] {
      const c10::InferenceMode no_gradients;
      pipeline::preparation_for(options);
      const auto files = checkpoint::open_model(options.files, watcher);
      const auto preparation = pipeline::preparation_for(options, files);
      return load(files, pipeline::read_specs(files), preparation, watcher);
    });
  });
}

TextPart load_text(const LoadOptions& options, py::object target) {
  return opened(
      options, std::move(target), [](const auto& files, const auto& specs, const auto& how, Watcher& watcher) {
        return TextPart{load_part<text::TextEncoder>(files.text_encoder, specs.text, how, watcher), how.device};
      });
}

UNetPart load_unet(const LoadOptions& options, py::object target) {
  return opened(options, std::move(target),
                [](const auto& files, const auto& specs, const auto& how, Watcher& watcher) {
                  return UNetPart{load_part<unet::UNet>(files.unet, specs.unet, how, watcher)};
                });
}

VaePart load_vae(const LoadOptions& options, py::object target) {
  return opened(options, std::move(target),
                [](const auto& files, const auto& specs, const auto& how, Watcher& watcher) {
                  return VaePart{load_part<vae::Vae>(files.vae, specs.vae, how, watcher), how.device};
                });
}

Tensor tokenize(const TokenizerPart& self, const std::vector<std::string>& texts) {
  if (texts.empty()) throw InputError("texts", "expected at least one, got none");
  const auto ids = at::empty({static_cast<int64_t>(texts.size()), self.length}, at::kLong);
  auto* place = ids.mutable_data_ptr<int64_t>();
  for (const auto& text : texts) {
    const auto tokens = self.tokenizer.encode(text, static_cast<size_t>(self.length));
    place = std::copy(tokens.ids.begin(), tokens.ids.end(), place);
  }
  return {ids};
}

Tensor encode_text(const TextPart& self, const py::object& ids_object, int64_t clip_skip) {
  const auto& spec = self.network->spec();
  auto ids = tensor_from(ids_object, "ids");
  if (!at::isIntegralType(ids.scalar_type(), /*includeBool=*/false) || ids.dim() != 2 || !all_positive(ids) ||
      ids.size(1) > spec.positions)
    refuse("ids", fmt::format("integers [B, T], T up to {}", spec.positions), ids);
  if (clip_skip < 0 || clip_skip >= spec.layers)
    throw InputError("clip_skip", expected_got(fmt::format("0 to {}", spec.layers - 1), fmt::format("{}", clip_skip)));
  ids = ids.to(at::kCPU, at::kLong).contiguous();
  const auto* const first = ids.const_data_ptr<int64_t>();
  for (const auto* id = first; id != first + ids.numel(); ++id)
    if (*id < 0 || *id >= spec.vocabulary)
      throw InputError("ids",
                       expected_got(fmt::format("numbers from 0 to {}", spec.vocabulary - 1), fmt::format("{}", *id)));
  return computed([&] { return Tensor{self.network->forward(ids.to(self.device), clip_skip)}; });
}

Bound bind_context(const UNetPart& self, const py::object& object) {
  const int64_t width = self.network->spec().context_width;
  const auto context = floats_from(object, "context");
  if (context.dim() != 3 || !all_positive(context) || context.size(2) != width)
    refuse("context", fmt::format("[B, T, {}]", width), context);
  return computed([&] {
    return Bound{self.network->bind(context.to(self.network->preparation().device).contiguous()), context.size(0)};
  });
}

at::Tensor times_from(const py::object& object, int64_t batch) {
  at::Tensor times;
  if (PyFloat_Check(object.ptr()) || PyLong_Check(object.ptr())) {
    times = at::full({1}, object.cast<double>(), at::kFloat);
  } else {
    times = tensor_from(object, "timestep").to(at::kCPU, at::kFloat).reshape({-1});
  }
  if (times.numel() != 1 && times.numel() != batch)
    refuse("timestep", fmt::format("a number, or one for each of {} samples", batch), times);
  if (!times.isfinite().all().item<bool>()) throw InputError("timestep", "expected finite numbers, got others");
  return times.expand({batch}).contiguous();
}

Tensor predict(const UNetPart& self, const py::object& latents_object, const py::object& time, const Bound& bound) {
  const auto& spec = self.network->spec();
  const auto latents = floats_from(latents_object, "latents");
  if (latents.dim() != 4 || !all_positive(latents) || latents.size(1) != spec.in_channels ||
      !unet::side_fits(spec, latents.size(2)) || !unet::side_fits(spec, latents.size(3)))
    refuse("latents",
           fmt::format("[B, {}, h, w] with sides that the network can halve and double back", spec.in_channels),
           latents);
  if (bound.texts % latents.size(0) != 0)
    refuse("latents", fmt::format("as many samples as texts ({}), or a part of them that goes in evenly", bound.texts),
           latents);
  const auto times = times_from(time, latents.size(0));
  return computed([&] {
    const auto device = self.network->preparation().device;
    return Tensor{self.network->forward(latents.to(device).contiguous(), times, bound.context)};
  });
}

Tensor encode_picture(const VaePart& self, const py::object& object) {
  const auto& spec = self.network->spec();
  const auto pictures = floats_from(object, "pictures");
  const int64_t scale = spec.scale();
  if (pictures.dim() != 4 || !all_positive(pictures) || pictures.size(1) != spec.picture_channels ||
      pictures.size(2) % scale != 0 || pictures.size(3) % scale != 0)
    refuse("pictures", fmt::format("[B, {}, H, W] with sides that are multiples of {}", spec.picture_channels, scale),
           pictures);
  return computed([&] { return Tensor{self.network->encode(pictures.to(self.device).contiguous())}; });
}

Tensor decode_latents(const VaePart& self, const py::object& object, bool tiled) {
  const auto& spec = self.network->spec();
  const auto latents = floats_from(object, "latents");
  if (latents.dim() != 4 || !all_positive(latents) || latents.size(1) != spec.latent_channels)
    refuse("latents", fmt::format("[B, {}, h, w]", spec.latent_channels), latents);
  return computed([&] {
    const auto there = latents.to(self.device).contiguous();
    return Tensor{tiled ? self.network->decode_tiled(there, {}) : self.network->decode(there)};
  });
}

}  // namespace

TokenizerPart tokenizer_of(const pipeline::Model& model) {
  return {model.impl()->tokenizer, model.impl()->specs.text.positions};
}
TextPart text_encoder_of(const pipeline::Model& model) {
  return {{model.impl(), &model.impl()->text_encoder}, model.impl()->preparation.device};
}
UNetPart unet_of(const pipeline::Model& model) { return {{model.impl(), &model.impl()->unet}}; }
VaePart vae_of(const pipeline::Model& model) {
  return {{model.impl(), &model.impl()->vae}, model.impl()->preparation.device};
}

void bind_networks(py::module_& module) {
  py::class_<TokenizerPart>(module, "Tokenizer")
      .def("__call__", &tokenize, py::arg("texts"))
      .def_readonly("length", &TokenizerPart::length);
  py::class_<TextPart>(module, "TextEncoder")
      .def_static("load", &load_text, py::arg("options"), py::arg("watcher") = py::none())
      .def("__call__", &encode_text, py::arg("ids"), py::arg("clip_skip") = 0)
      .def_property_readonly("width", [](const TextPart& self) { return self.network->spec().width; });
  py::class_<Bound>(module, "BoundContext").def_readonly("texts", &Bound::texts);
  py::class_<UNetPart>(module, "UNet")
      .def_static("load", &load_unet, py::arg("options"), py::arg("watcher") = py::none())
      .def("bind", &bind_context, py::arg("context"))
      .def("__call__", &predict, py::arg("latents"), py::arg("timestep"), py::arg("bound"))
      .def_property_readonly("in_channels", [](const UNetPart& self) { return self.network->spec().in_channels; })
      .def_property_readonly("sample_size", [](const UNetPart& self) { return self.network->spec().sample_size; });
  py::class_<VaePart>(module, "Vae")
      .def_static("load", &load_vae, py::arg("options"), py::arg("watcher") = py::none())
      .def("encode", &encode_picture, py::arg("pictures"))
      .def("decode", &decode_latents, py::arg("latents"), py::arg("tiled") = false)
      .def_property_readonly("scaling_factor", [](const VaePart& self) { return self.network->spec().scaling_factor; })
      .def_property_readonly("shift_factor", [](const VaePart& self) { return self.network->spec().shift_factor; })
      .def_property_readonly("scale", [](const VaePart& self) { return self.network->spec().scale(); });
}

}  // namespace fresco::python
