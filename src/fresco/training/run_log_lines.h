#pragma once
// What the lines of log.jsonl hold, for writing and for reading back. Reading throws nlohmann's exceptions, and FormatError for numbers
// that cannot be.
#include "fresco/core/json.h"
#include "fresco/training/run_log.h"

namespace fresco::training {

using Line = nlohmann::ordered_json;  // keys in the order in which they were put in

Line to_json(const Place& place);
Line to_json(const RunFacts& facts);
Line to_json(const PhaseFacts& facts);
Line to_json(const LoggedSteps& steps);  // without its place
Line to_json(const TrainEvent& event);   // without its kind and place

/// "phase" and "step" of an object.
Place place_of(const Json& line);
RunFacts run_facts(const Json& line);
PhaseFacts phase_facts(const Json& line);
LoggedSteps logged_steps(const Json& line);
/// Nothing when its kind is none of an event.
std::optional<TrainEvent> train_event(const Json& line);

}  // namespace fresco::training
