#include "fresco/checkpoint/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fresco/checkpoint/packed_file.h"
#include "fresco/core/error.h"

namespace fresco::checkpoint {
namespace {

constexpr int kVersion = 1;

// json_value(), but absence is an error.
template <typename T>
T required(const Json& object, const char* key, std::string_view where) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null())
    throw FormatError(where, fmt::format("the calibration has no \"{}\"", key));
  return json_value<T>(object, key, {}, where);
}

double decibels(const Json& object, const char* key, std::string_view where) {
  const auto value = required<double>(object, key, where);
  if (!std::isfinite(value)) throw FormatError(where, fmt::format("\"{}\": expected a finite number", key));
  return value;
}

CalibratedLayer layer_from(const Json& entry, std::string_view where) {
  if (!entry.is_object()) throw_json_type("layers", entry, where, "a list of objects");
  return {required<std::string>(entry, "part", where), required<std::string>(entry, "name", where),
          decibels(entry, "db", where), required<bool>(entry, "kept", where)};
}

// What people read: a hundredth of a decibel is more than a measurement repeats.
double rounded(double value) { return std::round(value * 100) / 100; }

}  // namespace

bool Calibration::keeps(std::string_view layer) const {
  return std::ranges::any_of(layers, [&](const CalibratedLayer& each) { return each.kept && each.name == layer; });
}

int Calibration::kept() const { return static_cast<int>(std::ranges::count_if(layers, &CalibratedLayer::kept)); }

Calibration calibration_from(const Json& text, std::string_view where) {
  if (!text.is_object() || !text.contains("fresco_calibration"))
    throw FormatError(where, "not a calibration: expected an object with \"fresco_calibration\"");
  if (const int version = required<int>(text, "fresco_calibration", where); version != kVersion)
    throw FormatError(where, fmt::format("calibration: expected version {}, got {}; `fresco calibrate` makes it anew",
                                         kVersion, version));
  Calibration read{.program = required<std::string>(text, "program", where),
                   .weights_hash = required<std::string>(text, "weights_hash", where),
                   .prompts = required<std::vector<std::string>>(text, "prompts", where),
                   .steps = required<int>(text, "steps", where),
                   .floor_db = decibels(text, "floor_db", where),
                   .picture_db = decibels(text, "picture_db", where),
                   .plain_db = decibels(text, "plain_db", where),
                   .layers = {}};
  const auto layers = text.find("layers");
  if (layers == text.end() || !layers->is_array())
    throw FormatError(where, "the calibration has no list of \"layers\"");
  for (const Json& entry : *layers) read.layers.push_back(layer_from(entry, where));
  return read;
}

Json to_json(const Calibration& calibration) {
  Json layers = Json::array();
  for (const auto& layer : calibration.layers)
    layers.push_back({{"part", layer.part}, {"name", layer.name}, {"db", rounded(layer.db)}, {"kept", layer.kept}});
  return {{"fresco_calibration", kVersion},
          {"program", calibration.program},
          {"weights_hash", calibration.weights_hash},
          {"prompts", calibration.prompts},
          {"steps", calibration.steps},
          {"floor_db", rounded(calibration.floor_db)},
          {"picture_db", rounded(calibration.picture_db)},
          {"plain_db", rounded(calibration.plain_db)},
          {"layers", layers}};
}

Calibration read_calibration(const std::filesystem::path& file) {
  return calibration_from(read_json(file), file.string());
}

std::optional<Calibration> own_calibration(const ModelFiles& files) {
  if (const auto packed = packed_file(files.unet)) return packed->header.calibration;
  const auto file = files.root / kCalibrationFile;
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file, unknown)) return std::nullopt;
  return read_calibration(file);
}

void check_fits(const Calibration& calibration, const ModelFiles& files, std::string_view where) {
  for (const auto& layer : calibration.layers) {
    const std::string key = layer.name + ".weight";
    const auto has = [&](const Part& part) { return part.tensors->find(key) != nullptr; };
    if (!has(files.unet) && !has(files.vae) && !has(files.text_encoder))
      throw InputError(
          where, fmt::format("calibrated for another model: {} has no \"{}\"", files.given, printable(layer.name)));
  }
}

}  // namespace fresco::checkpoint
