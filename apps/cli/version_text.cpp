#include "version_text.h"

#include <fmt/format.h>

#include "fresco/core/names.h"
#include "fresco/core/processor.h"
#include "fresco/ops/simd/isa.h"
#include "fresco/pipeline/runtime.h"
#include "fresco/report/machine.h"
#include "machine_report.h"

namespace fresco::cli {
namespace {

std::string libtorch_text(const pipeline::Runtime& runtime) {
  if (runtime.libtorch == runtime.built_with) return runtime.libtorch;
  return fmt::format("{}, but fresco was built with {}", runtime.libtorch, runtime.built_with);
}

std::string kernels_text() {
  std::vector<std::string> compiled;
  for (const ops::Isa isa : ops::all_isas()) compiled.emplace_back(ops::name(isa));
  const auto runnable = ops::runnable_isas();
  return fmt::format("{}; {} runs here", joined(compiled), runnable.empty() ? "none of them" : runnable.front());
}

std::string gpu_text(const pipeline::Runtime& runtime) {
  if (runtime.gpus == 0) return "none: " + runtime.no_gpu;
  const std::string model = report::this_machine().gpu;
  return fmt::format("{}{}{}", runtime.gpus, model.empty() ? "" : " x ", model);
}

}  // namespace

std::string version_text() {
  const pipeline::Runtime runtime = pipeline::runtime();
  std::string text = fmt::format("fresco {}\n", version());
  const auto fact = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<14}{}\n", name, value);
  };
  fact("libtorch", libtorch_text(runtime));
  fact("kernels", kernels_text());
  fact("instructions", instruction_sets_text());
  fact("processor",
       fmt::format("{}{}{} threads", processor().name, processor().name.empty() ? "" : ", ", processor().threads));
  fact("GPUs", gpu_text(runtime));
  return text;
}

}  // namespace fresco::cli
