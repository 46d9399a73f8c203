#pragma once
// A model to be trained, by its configs: they are enough where weights are drawn anew. Free of libtorch.
#include <filesystem>

#include "fresco/checkpoint/model_files.h"

namespace fresco::training {

/// Configs of a model folder; tensors are names alone, as many as pipeline::read_specs() asks about, and hold
/// nothing. A flexible U-Net's config tells DeciDiffusion 1.0, which has a middle block, from 2.0. Errors:
/// InputError (no such folder, a missing part), FormatError.
checkpoint::ModelFiles open_configs(const std::filesystem::path& folder);

/// Whether a part's folder holds weights beside its config.
bool holds_weights(const std::filesystem::path& part);

}  // namespace fresco::training
