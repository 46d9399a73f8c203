#include "machine_report.h"

#include <fmt/format.h>

#include "fresco/core/names.h"
#include "fresco/core/processor.h"
#include "fresco/ops/simd/isa.h"
#include "fresco/pipeline/model.h"

namespace fresco::cli {
namespace {

constexpr Arithmetic kAll[] = {Arithmetic::f32, Arithmetic::bf16, Arithmetic::f16, Arithmetic::int8};

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const InstructionSet set : processor().sets) names.emplace_back(name(set));
  return names;
}

std::vector<std::string> forms() {
  std::vector<std::string> names;
  for (const std::string_view form : ops::runnable_isas()) names.emplace_back(form);
  for (const char* portable : {"onednn", "reference"}) names.emplace_back(portable);
  return names;
}

std::vector<std::string> native() {
  std::vector<std::string> names;
  for (const Arithmetic arithmetic : kAll) {
    if (processor().native(arithmetic)) names.emplace_back(name(arithmetic));
  }
  return names;
}

Json precisions_json() {
  Json list = Json::array();
  for (const Precision precision : pipeline::native_precisions()) {
    const auto psnr = measured_psnr(precision);
    list.push_back({{"name", name(precision)}, {"psnr_db", psnr ? Json(*psnr) : Json()}});
  }
  return list;
}

}  // namespace

std::string instruction_sets_text() {
  const auto names = instruction_sets();
  return names.empty() ? "none beyond the basic ones" : joined(names);
}

std::string forms_text() { return joined(forms()); }

std::string native_text() { return joined(native()); }

std::string rates_text(const ops::MachineRates& rates) {
  std::vector<std::string> words;
  for (const Arithmetic arithmetic : kAll) {
    const ops::ComputeRate* rate = rates.best(arithmetic);
    if (rate == nullptr || rate->arithmetic != arithmetic) continue;
    words.push_back(fmt::format("{} {:.0f}", name(arithmetic), rate->flops / 1e9));
  }
  if (words.empty()) return {};
  return fmt::format("{} GFLOP/s; memory {:.0f} GB/s", joined(words), rates.memory_bytes / 1e9);
}

std::string precisions_text() {
  std::vector<std::string> words;
  for (const Precision precision : pipeline::native_precisions()) {
    const auto psnr = measured_psnr(precision);
    words.push_back(fmt::format("{} {}", name(precision), psnr ? fmt::format("{} dB", *psnr) : "exact"));
  }
  return fmt::format("{}; fast is {}", joined(words), name(pipeline::native_precisions().front()));
}

Json machine_json(const ops::MachineRates& rates) {
  return {{"name", processor().name},
          {"threads", processor().threads},
          {"instruction_sets", instruction_sets()},
          {"forms", forms()},
          {"native", native()},
          {"precisions", precisions_json()},
          {"rates", ops::to_json(rates)}};
}

}  // namespace fresco::cli
