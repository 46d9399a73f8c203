#pragma once
// One function a subcommand: takes the arguments after its name, throws fresco::Error for anything that goes wrong.
#include "command_line.h"

namespace fresco::cli {

void draw_command(const Arguments& arguments);
void calibrate_command(const Arguments& arguments);
void compare_command(const Arguments& arguments);
/// For compare_command alone: the process in which it has one model measured.
void measure_command(const Arguments& arguments);
void inspect_command(const Arguments& arguments);
void pack_command(const Arguments& arguments);
void train_command(const Arguments& arguments);
void samplers_command(const Arguments& arguments);

/// Dispatches to the commands below.
void data_command(const Arguments& arguments);
void data_prepare_command(const Arguments& arguments);
void data_shapes_command(const Arguments& arguments);
void evaluate_command(const Arguments& arguments);

}  // namespace fresco::cli
