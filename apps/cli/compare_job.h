#pragma once
// From options to what each model is to draw, with everything checked that can be before weights are read.
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "compare_options.h"
#include "fresco/core/observer.h"
#include "fresco/evaluation/measure.h"

namespace fresco::cli {

struct CompareJob {
  std::array<Choices, 2> choices;
  std::array<evaluation::MeasureJob, 2> measures;
  std::filesystem::path folder;
  std::vector<std::string> names;  // of picture k's file, in the folder of its side

  const std::vector<std::string>& prompts() const { return measures[0].prompts; }
  const std::vector<uint64_t>& seeds() const { return measures[0].seeds; }
};

/// `models`: A and B, as given. Opens both, which may download them.
/// Errors: InputError, FormatError, ResourceError (memory that is not there, a device that is not).
CompareJob make_compare_job(const CompareOptions& options, const std::vector<std::string>& models, Observer& observer);

}  // namespace fresco::cli
