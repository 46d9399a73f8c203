#pragma once
// The page about a training: curves, grids over time, what happened, where and from what. Free of libtorch.
#include <string>

#include "fresco/training/run_folder.h"
#include "fresco/training/run_log.h"

namespace fresco::training {

/// One HTML page that needs nothing beside it: pictures and plots stand in it, no script, nothing is fetched. Of grids it takes at most 24,
/// spread over the run; those that cannot be read are left out.
std::string train_report(const RunHistory& history, const RunFolder& folder);

/// Writes report.html into the run's folder, from what its log says so far. Errors: as read_run_log's and write_file's.
void write_train_report(const RunFolder& folder);

}  // namespace fresco::training
