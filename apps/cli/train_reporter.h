#pragma once
#include <memory>

#include "fresco/training/observer.h"
#include "reporter.h"

namespace fresco::cli {

/// How the terminal, a log or another program sees a training; asks it to stop on Ctrl-C. A standard output that is full ends no training.
std::unique_ptr<training::TrainObserver> make_train_reporter(ReportStyle style);

}  // namespace fresco::cli
