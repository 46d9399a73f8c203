#pragma once
#include <string>
#include <vector>

#include "fresco/checkpoint/calibration.h"
#include "fresco/pipeline/model.h"

namespace fresco::pipeline {

struct CalibrateRequest {
  LoadOptions load;                  // of its precision only float32 and int8 are drawn
  std::vector<std::string> prompts;  // empty: calibration_prompts()
  int steps = 4;                     // of each picture
};

/// Prompts of many kinds, for models that were trained on many kinds of pictures.
const std::vector<std::string>& calibration_prompts();

/// Draws the prompts in float32 and measures, on the values that come by, how far each matrix's product in 8-bit integers is from the
/// exact one. Those that are worse than kFloorDb are kept in bfloat16, and more of the worst until pictures drawn so are kPictureDb near
/// the exact ones. Convolutions are never in 8-bit integers.
/// Errors: InputError (a processor without such products, a model that is packed in less than float32), as Model::load and draw().
checkpoint::Calibration calibrate(const CalibrateRequest& request, Observer& observer = no_observer());

}  // namespace fresco::pipeline
