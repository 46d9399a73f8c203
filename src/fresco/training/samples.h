#pragma once
// Grids of the recipe's prompts, drawn now and then while a run goes on. Free of libtorch: who draws hands the pictures over.
#include <string>
#include <vector>

#include "fresco/image/picture.h"
#include "fresco/training/run_folder.h"

namespace fresco::training {

/// Writes the grid under the folder's samples/, in place of one of the same name, and returns its path relative to the run's folder.
/// `prompts` stand in the file as text, one a line. Errors: InputError without pictures or when the folder cannot be written,
/// ResourceError when the disk is full.
std::string save_samples(const RunFolder& folder, const Place& place, std::string_view phase_name,
                         const std::vector<image::Picture>& pictures, const std::vector<std::string>& prompts);

}  // namespace fresco::training
