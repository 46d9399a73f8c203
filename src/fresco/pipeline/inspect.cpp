#include "fresco/pipeline/inspect.h"

#include <algorithm>
#include <set>

#include "fresco/core/checked.h"
#include "fresco/text/text_spec.h"
#include "fresco/unet/unet_spec.h"
#include "fresco/vae/vae_spec.h"

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

bool has_middle(const checkpoint::TensorSource& tensors) {
  const auto& all = tensors.tensors();
  return std::any_of(all.begin(), all.end(),
                     [](const TensorInfo& tensor) { return tensor.name.starts_with("mid_block."); });
}

/// Values that are alive at once while the decoder works on its finest level: three maps as wide as its widest channels there; far more
/// than a guided U-Net call holds.
int64_t drawing_bytes(const vae::VaeSpec& spec, int64_t width, int64_t height) {
  const int64_t channels = spec.channels.size() > 1 ? std::max(spec.channels[0], spec.channels[1]) : spec.channels[0];
  return 3 * channels * width * height * static_cast<int64_t>(sizeof(float));
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
  const auto unet_spec = unet::read_spec(files.unet.config, files.unet.config_place, has_middle(*files.unet.tensors));
  const auto vae_spec = vae::read_vae_spec(files.vae.config, files.vae.config_place);
  const auto text_spec = text::read_text_spec(files.text_encoder.config, files.text_encoder.config_place);

  Inspection result;
  result.family = files.family;
  result.given = files.given;
  result.root = files.root.string();
  result.parts = {report("text_encoder", files.text_encoder, text::expected_tensors(text_spec)),
                  report("unet", files.unet, unet::expected_tensors(unet_spec)),
                  report("vae", files.vae, vae::expected_tensors(vae_spec))};
  result.tokenizer = files.tokenizer.string();
  result.scheduler = json_value(files.scheduler, "_class_name", std::string(), files.scheduler_place);
  result.prediction = json_value(files.scheduler, "prediction_type", std::string("epsilon"), files.scheduler_place);
  result.width = result.height = unet_spec.sample_size * vae_spec.scale();
  result.memory.weights_f32 = 4 * result.parameters();
  result.memory.weights_half = 2 * result.parameters();
  result.memory.drawing = drawing_bytes(vae_spec, result.width, result.height);
  result.unused = files.unused;
  return result;
}

Json to_json(const Inspection& inspection) {
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
          {"unused", inspection.unused},
          {"whole", inspection.whole()}};
}

}  // namespace fresco::pipeline
