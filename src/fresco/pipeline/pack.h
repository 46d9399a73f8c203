#pragma once
#include <filesystem>

#include "fresco/pipeline/model.h"

namespace fresco::pipeline {

struct PackRequest {
  LoadOptions load;  // its precision: auto (f32), f32, bf16, int8 or fast
  std::filesystem::path out;
  /// In int8: calibrate on these; empty: on calibration_prompts(), unless `load` or the model has a calibration.
  std::vector<std::string> prompts;
  bool overwrite = false;
};

struct PackResult {
  uint64_t bytes = 0;
  std::string isa;  // instruction set that the file is for; "none": any
  Precision precision = Precision::f32;
  std::optional<checkpoint::Calibration> calibration;  // int8 only
};

/// Writes a model into one file, its weights as this processor's kernels read them: loading it maps it. The model may itself be packed.
/// Errors: InputError (no such model, a precision that this processor lacks, `out` cannot be written), FormatError, ResourceError (disk full:
/// checked before, too), Interrupted; the file then is not there.
PackResult pack(const PackRequest& request, Observer& observer = no_observer());

}  // namespace fresco::pipeline
