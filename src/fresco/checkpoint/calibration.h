#pragma once
// What a calibration found: how well each matrix bears products of 8-bit integers, and which are therefore kept in bfloat16. Lies in a
// file of its own or in a packed file (docs/formats.md).
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fresco/checkpoint/model_files.h"
#include "fresco/core/json.h"

namespace fresco::checkpoint {

struct CalibratedLayer {
  std::string part;  // "text_encoder", "unet", "vae"
  std::string name;  // key of its (first) tensor, without ".weight"
  double db = 0;     // signal over noise of its output with 8-bit integers, against float32
  bool kept = false;
};

struct Calibration {
  std::string program;       // "fresco 0.1.0"
  std::string weights_hash;  // of the model
  std::vector<std::string> prompts;
  int steps = 0;
  double floor_db = 0;                  // layers under it are kept
  double picture_db = 0;                // PSNR of the worst picture drawn so, against the one in float32
  double plain_db = 0;                  // the same with no layer kept
  std::vector<CalibratedLayer> layers;  // worst first

  bool keeps(std::string_view layer) const;
  int kept() const;
};

/// The file that is looked for in a model's folder.
constexpr std::string_view kCalibrationFile = "calibration.json";

/// Errors: FormatError naming `where` when something is missing or of the wrong type.
Calibration calibration_from(const Json& text, std::string_view where);
Json to_json(const Calibration& calibration);

/// Errors: InputError (no such file), FormatError.
Calibration read_calibration(const std::filesystem::path& file);

/// That of a packed file, or the one that lies in a model's folder. Errors: FormatError.
std::optional<Calibration> own_calibration(const ModelFiles& files);

/// Errors: InputError at `where` when it names a matrix that the model does not have.
void check_fits(const Calibration& calibration, const ModelFiles& files, std::string_view where);

}  // namespace fresco::checkpoint
