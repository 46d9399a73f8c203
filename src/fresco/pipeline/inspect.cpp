#include "fresco/pipeline/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fresco/checkpoint/packed_file.h"
#include "fresco/core/checked.h"
#include "fresco/core/error.h"
#include "fresco/pipeline/model_specs.h"

namespace fresco::pipeline {
namespace {

using checkpoint::TensorInfo;

int64_t elements(const TensorInfo& tensor) { return checked_elements(tensor.shape).value_or(0); }

template <typename Expected>
PartReport report(const std::string& name, const checkpoint::Part& part, const std::vector<Expected>& expected) {
  PartReport report;
  report.name = name;
  report.place = part.tensors->place();
  std::set<std::string_view> wanted;
  for (const Expected& want : expected) {
    wanted.insert(want.name);
    const TensorInfo* found = part.tensors->find(want.name);
    if (found == nullptr) {
      report.missing.push_back(want.name);
      continue;
    }
    if (found->shape != want.shape) report.wrong.push_back({want.name, want.shape, found->shape});
    report.parameters += elements(*found);
    report.element_types[std::string(checkpoint::name(found->type))] += elements(*found);
  }
  for (const TensorInfo& tensor : part.tensors->tensors()) {
    if (!wanted.contains(tensor.name)) report.extra.push_back(tensor.name);
  }
  return report;
}

Json report_json(const PartReport& part) {
  Json wrong = Json::array();
  for (const WrongShape& each : part.wrong)
    wrong.push_back({{"name", each.name}, {"expected", each.expected}, {"got", each.got}});
  return {{"name", part.name},
          {"place", part.place},
          {"parameters", part.parameters},
          {"element_types", part.element_types},
          {"missing", part.missing},
          {"extra", part.extra},
          {"wrong_shape", wrong}};
}

}  // namespace

bool Inspection::whole() const {
  return std::all_of(parts.begin(), parts.end(), [](const PartReport& part) { return part.whole(); });
}

int64_t Inspection::parameters() const {
  int64_t total = 0;
  for (const PartReport& part : parts) total += part.parameters;
  return total;
}

Inspection inspect(const checkpoint::ModelFiles& files) {
  const ModelSpecs specs = read_specs(files);
  Inspection result;
  result.family = files.family;
  result.given = files.given;
  result.root = files.root.string();
  result.parts = {report("text_encoder", files.text_encoder, text::expected_tensors(specs.text)),
                  report("unet", files.unet, unet::expected_tensors(specs.unet)),
                  report("vae", files.vae, vae::expected_tensors(specs.vae))};
  result.tokenizer = files.tokenizer.place().string();
  result.scheduler = json_value(files.scheduler, "_class_name", std::string(), files.scheduler_place);
  result.prediction = json_value(files.scheduler, "prediction_type", std::string("epsilon"), files.scheduler_place);
  result.width = specs.defaults.width;
  result.height = specs.defaults.height;
  result.memory.weights_f32 = 4 * result.parameters();
  result.memory.weights_half = 2 * result.parameters();
  result.memory.drawing =
      static_cast<int64_t>(activation_bytes(specs, 1, result.width, result.height, sizeof(float)).most());
  result.unused = files.unused;
  if (const auto packed = checkpoint::packed_file(files.unet)) {
    const auto& header = packed->header;
    result.packed = {header.isa, header.products, header.program, header.source};
  }
  return result;
}

void check_whole(const Inspection& inspection) {
  for (const PartReport& part : inspection.parts) {
    if (part.whole()) continue;
    const size_t others = part.missing.size() + part.wrong.size() - 1;
    const std::string more = others == 0 ? "" : fmt::format(", and {} more are missing or of the wrong shape", others);
    if (!part.wrong.empty()) {
      const WrongShape& wrong = part.wrong.front();
      const std::string shapes =
          expected_got("shape " + checkpoint::to_string(wrong.expected), checkpoint::to_string(wrong.got));
      throw FormatError(part.place, fmt::format("tensor \"{}\": {}{}", printable(wrong.name), shapes, more));
    }
    throw FormatError(part.place, fmt::format("tensor \"{}\" is missing{}", printable(part.missing.front()), more));
  }
}

Json to_json(const Inspection& inspection) {
  Json packed;
  if (inspection.packed) {
    const auto& [isa, products, program, source] = *inspection.packed;
    packed = {{"isa", isa}, {"products", products}, {"program", program}, {"source", source}};
  }
  Json parts = Json::array();
  for (const PartReport& part : inspection.parts) parts.push_back(report_json(part));
  return {{"model", inspection.given},
          {"root", inspection.root},
          {"family", checkpoint::name(inspection.family)},
          {"parts", parts},
          {"parameters", inspection.parameters()},
          {"tokenizer", inspection.tokenizer},
          {"scheduler", inspection.scheduler},
          {"prediction_type", inspection.prediction},
          {"width", inspection.width},
          {"height", inspection.height},
          {"memory",
           {{"weights_f32_bytes", inspection.memory.weights_f32},
            {"weights_half_bytes", inspection.memory.weights_half},
            {"drawing_bytes", inspection.memory.drawing}}},
          {"packed", packed},
          {"unused", inspection.unused},
          {"whole", inspection.whole()}};
}

}  // namespace fresco::pipeline
