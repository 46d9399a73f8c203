#pragma once
// A whole model, or a VAE alone, in one file with the research code's key names.
#include <filesystem>

#include "fresco/checkpoint/model_files.h"

namespace fresco::checkpoint {

/// configs: a model folder that describes the file; empty: its shapes do. Without `with_vae` the file need not hold one.
/// Errors: InputError (another kind of model, a missing part), FormatError.
ModelFiles open_single_file(const std::filesystem::path& file, const std::string& configs, bool with_vae);

/// A VAE from a single file of any of the three namings; a config.json beside it is used.
Part open_vae_file(const std::filesystem::path& file);

}  // namespace fresco::checkpoint
