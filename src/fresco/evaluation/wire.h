#pragma once
// A job and its measurement as JSON, on the way between two processes of the same program.
#include "fresco/core/json.h"
#include "fresco/evaluation/measure.h"

namespace fresco::evaluation {

Json to_json(const MeasureJob& job);
/// Errors: nlohmann::json's exceptions for anything that to_json does not write.
MeasureJob job_from_json(const Json& json);

/// Without the pictures, which travel one by one.
Json to_json(const Measurement& measurement);
Measurement measurement_from_json(const Json& json);

Json to_json(const MultiplyAdds& count);

Json picture_to_json(const image::Picture& picture);
image::Picture picture_from_json(const Json& json);

}  // namespace fresco::evaluation
