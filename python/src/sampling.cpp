// Sampling plans, and the loop over one in a caller's own hands.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <pybind11/stl.h>

#include "bind.h"
#include "fresco/pipeline/denoise.h"
#include "fresco/pipeline/torch_errors.h"
#include "fresco/sampling/sampler.h"
#include "tensors.h"
#include "watch.h"

namespace fresco::python {
namespace {

using pipeline::Generator;
using sampling::SamplingPlan;

SamplingPlan make_plan(const std::string& config, sampling::PlanRequest request) {
  return sampling::make_plan(json_from(config, "scheduler"), "scheduler", request);
}

// A plan under way: the registers between two calls of the network.
class Run {
 public:
  Run(SamplingPlan plan, const py::object& sample, std::vector<Generator> generators)
      : plan_(std::move(plan)),
        registers_{.sample = first_sample(sample)},
        noise_(fitting(std::move(generators), registers_.sample.size(0)), registers_.sample.size(0)) {}

  bool done() const { return row_ == plan_.rows.size(); }
  size_t row() const { return row_; }
  Tensor sample() const { return {registers_.sample}; }

  /// What the network is to be called with.
  Tensor model_input() const {
    const c10::InferenceMode ordinary(false);
    const double scale = current().input_scale;
    return {scale == 1 ? registers_.sample : registers_.sample * scale};
  }
  double timestep() const { return current().timestep; }

  Tensor step(const py::object& object) {
    const auto& row = current();
    const auto output = floats_from(object, "output").to(registers_.sample.device()).contiguous();
    if (output.sizes() != registers_.sample.sizes())
      throw InputError("output", expected_got(described(registers_.sample), described(output)));
    const py::gil_scoped_release released;
    pipeline::with_plain_errors([&] {
      const c10::InferenceMode ordinary(false);
      const c10::NoGradGuard no_gradients;
      const auto shape = registers_.sample.sizes().slice(1).vec();
      pipeline::apply_row(row, output, registers_, [&] { return noise_.draw(shape).to(output.device()); });
    });
    ++row_;
    return sample();
  }

 private:
  // A copy: what the caller later does to its tensor must not reach the registers.
  static at::Tensor first_sample(const py::object& object) {
    const auto sample = floats_from(object, "sample").clone(at::MemoryFormat::Contiguous);
    if (sample.dim() != 4 || sample.numel() == 0)
      throw InputError("sample", expected_got("[B, C, h, w]", described(sample)));
    return sample;
  }
  static std::vector<Generator> fitting(std::vector<Generator> generators, int64_t samples) {
    if (generators.size() != 1 && static_cast<int64_t>(generators.size()) != samples)
      throw InputError("generator", expected_got(fmt::format("1, or {}: one for each sample", samples),
                                                 fmt::format("{}", generators.size())));
    return generators;
  }
  const sampling::Row& current() const {
    if (done()) throw InputError("step", fmt::format("the plan's {} rows have all run", plan_.rows.size()));
    return plan_.rows[row_];
  }

  SamplingPlan plan_;
  pipeline::Registers registers_;
  pipeline::NoiseStream noise_;
  size_t row_ = 0;
};

py::list rows_of(const SamplingPlan& plan) {
  py::list rows;
  for (const auto& row : plan.rows) {
    py::dict entry;
    entry["timestep"] = row.timestep;
    entry["input_scale"] = row.input_scale;
    entry["draws_noise"] = row.draws_noise;
    entry["reached"] = py::make_tuple(row.reached.signal, row.reached.noise);
    rows.append(entry);
  }
  return rows;
}

}  // namespace

void bind_sampling(py::module_& module) {
  py::class_<SamplingPlan>(module, "SamplingPlan")
      .def(py::init([](const std::string& config, const std::string& sampler, const std::string& schedule,
                       std::optional<int> steps, const std::string& squeeze, double eta, std::optional<double> strength,
                       bool as_stated) {
             sampling::PlanRequest request;
             request.sampler = sampler;
             request.schedule = schedule;
             request.steps = steps;
             request.squeeze = squeeze;
             request.eta = eta;
             request.strength = strength;
             request.as_stated = as_stated;
             return make_plan(config, request);
           }),
           py::arg("config"), py::arg("sampler") = "", py::arg("schedule") = "", py::arg("steps") = py::none(),
           py::arg("squeeze") = "", py::arg("eta") = 0.0, py::arg("strength") = py::none(),
           py::arg("as_stated") = false)
      .def_readonly("sampler", &SamplingPlan::sampler)
      .def_readonly("description", &SamplingPlan::description)
      .def_readonly("steps", &SamplingPlan::steps)
      .def_readonly("initial_noise", &SamplingPlan::initial_noise)
      .def_property_readonly(
          "start", [](const SamplingPlan& self) { return py::make_tuple(self.start.signal, self.start.noise); })
      .def_property_readonly("rows", &rows_of);
  py::class_<Run>(module, "Run")
      .def(py::init<SamplingPlan, const py::object&, std::vector<Generator>>(), py::arg("plan"), py::arg("sample"),
           py::arg("generators"))
      .def_property_readonly("done", &Run::done)
      .def_property_readonly("row", &Run::row)
      .def_property_readonly("sample", &Run::sample)
      .def_property_readonly("timestep", &Run::timestep)
      .def("model_input", &Run::model_input)
      .def("step", &Run::step, py::arg("output"));
}

}  // namespace fresco::python
