#pragma once
// Measuring in a process of its own: peak memory of a process cannot be told apart by model (what one frees another takes, allocators
// and libraries keep some), and resetting Linux's mark (/proc/self/clear_refs) leaves all that in. A process that ran out of memory and
// was killed is an error here, not the end of the comparison's program.
#include <functional>
#include <string>
#include <vector>

#include "fresco/evaluation/measure.h"

namespace fresco::evaluation {

/// Starts `program` (a path and its arguments), which must call serve_measurement(), and has it measure. What it reports goes to `observer`;
/// when that wants to stop, or this process ends, so does the other one.
/// Errors: those of measure(), of the same type; ResourceError when the process cannot be started or ends without an answer.
Measurement measure_apart(const std::vector<std::string>& program, const MeasureJob& job, Observer& observer);

/// The other end: reads a job, measures, and answers. `cancelled` is asked between steps. What measure() throws goes to the caller's
/// process. Errors: InputError when this process was not started by measure_apart().
void serve_measurement(const std::function<bool()>& cancelled);

}  // namespace fresco::evaluation
